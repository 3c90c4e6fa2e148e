import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { freePort } from "./distribution.ts";
import { type KubeCluster, kubeCommand } from "./kube-cluster.ts";
import { programPath } from "./programs.ts";
import type { Scratch } from "./scratch.ts";
import { until } from "./until.ts";

/** A real kubelet, the cluster's one node, above a runtime that refuses every pull after it has noted what was sent with it. */
export interface Kubelet {
  /** Starts a pod with one container of this image, waits until the pull has failed, and gives the logins that were tried, each once, in order. */
  tryPull(pod: string, image: string, secrets?: readonly string[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface KubeletOptions {
  /** Its --root-dir, where it finds its own config.json. */
  readonly root: string;
  readonly plugins?: { readonly config: string; readonly folder: string };
}

interface Pull {
  readonly pod: string;
  readonly username: string;
  readonly password: string;
}

/** Starts one; for tests that run as root and said `needs("kube", "openssl", "unshare", "mount")`. */
export async function startKubelet(
  cluster: KubeCluster,
  scratch: Scratch,
  { root, plugins }: KubeletOptions,
): Promise<Kubelet> {
  const folder = scratch.at("kubelet");
  mkdirSync(folder, { mode: 0o700 });
  const socket = `${folder}/cri.sock`;
  const kubeconfig = await cluster.userConfig("system:node:node", ["system:nodes"]);
  writeFileSync(`${folder}/kubelet.yaml`, JSON.stringify(configOf(folder, socket, cluster)));
  const env = { PATH: process.env.PATH ?? "", HOME: folder };
  const runtime = Bun.spawn([...kubeCommand("runtime"), `--socket=${socket}`], {
    stdio: ["ignore", Bun.file(`${folder}/pulls`), Bun.file(`${folder}/runtime.log`)],
    env,
  });
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--config=${folder}/kubelet.yaml`,
    `--root-dir=${root}`,
    `--cert-dir=${folder}/certs`,
    "--hostname-override=node",
    ...(plugins === undefined
      ? []
      : [
          `--image-credential-provider-config=${plugins.config}`,
          `--image-credential-provider-bin-dir=${plugins.folder}`,
        ]),
  ];
  // It mounts its root folder, and has places of its own below /var: all of that ends with its own view of the mounts.
  const script = 'mount -t tmpfs none /var/lib && mount -t tmpfs none /var/log && exec "$@"';
  const kubelet = Bun.spawn(
    [
      programPath("unshare"),
      "--mount",
      "--propagation",
      "private",
      "sh",
      "-c",
      script,
      "sh",
      ...kubeCommand("kubelet"),
      ...flags,
    ],
    {
      stdio: ["ignore", Bun.file(`${folder}/kubelet.log`), Bun.file(`${folder}/kubelet.log`)],
      cwd: folder,
      env,
    },
  );
  const stop = async (): Promise<void> => {
    for (const child of [kubelet, runtime]) {
      child.kill("SIGKILL");
      await child.exited;
    }
  };
  const pulls = (pod: string): readonly Pull[] =>
    readFileSync(`${folder}/pulls`, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Pull)
      .filter((pull) => pull.pod === pod);
  try {
    await until(
      "the node is ready",
      async () => {
        if (kubelet.exitCode !== null)
          throw new Error(
            `the kubelet ended:\n${readFileSync(`${folder}/kubelet.log`, "utf8").slice(-3000)}`,
          );
        const { out } = await cluster.kubectl(["get", "node", "node", "-o", "jsonpath={.status.conditions}"]);
        return /"KubeletReady"/.test(out) ? true : undefined;
      },
      90_000,
    );
  } catch (fault) {
    await stop();
    throw fault;
  }
  return {
    stop,
    async tryPull(pod, image, secrets = []) {
      const spec = {
        nodeName: "node",
        automountServiceAccountToken: false,
        imagePullSecrets: secrets.map((name) => ({ name })),
        containers: [{ name: "c", image, imagePullPolicy: "Always" }],
      };
      const made = await cluster.request("POST", "/api/v1/namespaces/default/pods", {
        metadata: { name: pod },
        spec,
      });
      if (!made.ok) throw new Error(await made.text());
      await until(
        `the pull of ${pod} has failed`,
        async () => {
          const { out } = await cluster.kubectl([
            "get",
            "pod",
            pod,
            "-o",
            "jsonpath={.status.containerStatuses[0].state.waiting.reason}",
          ]);
          // ErrImagePull, ImagePullBackOff, or why there was no pull at all.
          return out !== "" && !/^(?:ContainerCreating|PodInitializing)$/.test(out) ? true : undefined;
        },
        120_000,
      );
      const tried = pulls(pod).map(({ username, password }) =>
        username === "" ? "nobody" : `${username}:${password}`,
      );
      // On a slow machine it may have begun again.
      return [...new Set(tried)];
    },
  };
}

function configOf(folder: string, socket: string, cluster: KubeCluster): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: cluster.caFile },
    },
    authorization: { mode: "AlwaysAllow" },
    containerRuntimeEndpoint: `unix://${socket}`,
    // Whatever the machine is: nothing is run, so nothing is held in bounds.
    cgroupDriver: "cgroupfs",
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    evictionHard: { "memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    makeIPTablesUtilChains: false,
    resolvConf: "",
    address: "127.0.0.1",
    port: freePort(),
    readOnlyPort: 0,
    healthzPort: 0,
    podLogsDir: `${folder}/logs`,
    volumePluginDir: `${folder}/volume-plugins`,
  };
}
