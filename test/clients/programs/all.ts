import type { ImageClientKind } from "../image-client.ts";
import { buildah } from "./buildah.ts";
import { crane } from "./crane.ts";
import { docker } from "./docker.ts";
import { oras } from "./oras.ts";
import { podman } from "./podman.ts";
import { regctl } from "./regctl.ts";
import { skopeo } from "./skopeo.ts";

/** Every program that is shown to push and pull with a delivered login. */
export const imageClients: readonly ImageClientKind[] = [
  docker,
  podman,
  buildah,
  skopeo,
  crane,
  oras,
  regctl,
];
