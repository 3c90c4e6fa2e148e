import { AppError } from "#core";
import { type Manifest, mediaTypes } from "#oci";

/** What registries hold beside images, by the type of the config or of the artifact. */
const KINDS: readonly (readonly [string, string, string?])[] = [
  ["application/vnd.cncf.helm.config", "a Helm chart", "pull it with helm"],
  ["application/vnd.sylabs.sif.", "a SIF file", "pull it as oras://"],
  ["application/vnd.wasm.", "a WebAssembly module"],
  ["application/vnd.dev.cosign.", "a signature"],
  ["application/vnd.dev.sigstore.", "a signature"],
  ["application/vnd.in-toto", "an attestation"],
  ["application/spdx", "a bill of materials"],
  ["application/vnd.cyclonedx", "a bill of materials"],
  ["application/vnd.docker.plugin.", "a Docker plugin"],
  ["application/vnd.ollama.", "a model"],
  ["application/vnd.cncf.model.", "a model"],
  ["application/vnd.docker.ai.", "a model"],
  ["application/vnd.cncf.flux.", "a Flux artifact"],
  ["application/vnd.devcontainers", "a development container's feature"],
];

const IMAGE_CONFIGS: ReadonlySet<string> = new Set([
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  // Docker 1.10 called its configs so.
  "application/octet-stream",
]);

/** Throws UNSUPPORTED, naming what it is, for a manifest that is no container image. */
export function refuseArtifact(manifest: Manifest, name: string): void {
  const config = manifest.config?.mediaType ?? "";
  // Some builders leave artifactType on images; their config says what they are.
  if (IMAGE_CONFIGS.has(config)) return;
  const type = config === "" || config === mediaTypes.ociEmpty ? (manifest.artifactType ?? config) : config;
  const [, what, hint] = KINDS.find(([start]) => type.startsWith(start)) ?? [];
  const words =
    what ?? (type === "" ? "something without a type" : `an artifact of type ${type.slice(0, 120)}`);
  throw new AppError("UNSUPPORTED", `${name} is ${words}, not a container image`, {
    ...(hint === undefined ? {} : { hint }),
    details: { type },
  });
}
