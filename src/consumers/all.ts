import { ansible } from "./ansible/index.ts";
import { apptainer } from "./apptainer/index.ts";
import { containerd } from "./containerd/index.ts";
import type { Consumer } from "./contract.ts";
import { crio } from "./crio/index.ts";
import { docker } from "./docker/index.ts";
import { enroot } from "./enroot/index.ts";
import { gitlab } from "./gitlab/index.ts";
import { k3s } from "./k3s/index.ts";
import { kubelet } from "./kubelet/index.ts";
import { kubeletPlugin } from "./kubelet-plugin/index.ts";
import { kubernetes } from "./kubernetes/index.ts";
import { opensvc } from "./opensvc/index.ts";
import { podman } from "./podman/index.ts";
import { rke2 } from "./rke2/index.ts";
import { runai } from "./runai/index.ts";

/** Every consumer, by hand. The contract suite (test/contracts/consumers.test.ts) and the docs loop over it. */
export const consumers: readonly Consumer[] = [
  docker,
  podman,
  apptainer,
  enroot,
  kubernetes,
  kubelet,
  kubeletPlugin,
  k3s,
  rke2,
  gitlab,
  crio,
  containerd,
  runai,
  ansible,
  opensvc,
];

/** The consumer of that name; undefined when there is none. */
export function findConsumer(name: string): Consumer | undefined {
  return consumers.find((consumer) => consumer.name === name);
}
