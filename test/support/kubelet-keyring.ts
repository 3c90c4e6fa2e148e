import { kubeCommand } from "./kube-cluster.ts";
import { mustRun } from "./run-program.ts";

/** What a pod and its node have, and the images that are asked for. */
export interface KeyringCase {
  /** The pod's pull secrets as objects (`data` in base64), in the pod's order. */
  readonly secrets?: readonly unknown[];
  /** The kubelet's --root-dir, where it looks for its own config.json; an empty folder where the node has none. */
  readonly root: string;
  readonly images: readonly string[];
}

export interface KeyringTry {
  readonly username: string;
  readonly password: string;
}

/** For each image what would be tried, in order; or why every pull fails. */
export interface KeyringAnswer {
  readonly tries: readonly (readonly KeyringTry[])[];
  readonly fails?: string;
}

export interface KeyringOptions {
  /** The kubelet's --image-credential-provider-config and …-bin-dir. */
  readonly plugins?: { readonly config: string; readonly folder: string };
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Asks the kubelet's own keyring code, all cases in one process: for tests that said `needs("kube")`. `home` is an empty folder: the code
 * looks for files in HOME and where it runs too. Throws with its words where the plugins' configuration does not please it.
 */
export async function askKubelet(
  cases: readonly KeyringCase[],
  home: string,
  { plugins, env = {} }: KeyringOptions = {},
): Promise<readonly KeyringAnswer[]> {
  const flags =
    plugins === undefined
      ? []
      : [
          `--image-credential-provider-config=${plugins.config}`,
          `--image-credential-provider-bin-dir=${plugins.folder}`,
        ];
  const out = await mustRun([...kubeCommand("keyring"), ...flags], {
    cwd: home,
    env: { PATH: process.env.PATH ?? "", HOME: home, ...env },
    input: cases.map((one) => `${JSON.stringify(one)}\n`).join(""),
  });
  const answers = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { tries: KeyringAnswer["tries"] | null; fails?: string });
  if (answers.length !== cases.length) throw new Error(`${cases.length} cases, ${answers.length} answers`);
  return answers.map(({ tries, ...rest }) => ({ ...rest, tries: tries ?? [] }));
}

/** A pull secret as the API gives it, with this `.dockerconfigjson`. */
export function pullSecret(config: string | object): unknown {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/dockerconfigjson",
    metadata: { name: "regcred", namespace: "default" },
    data: { ".dockerconfigjson": Buffer.from(text).toString("base64") },
  };
}
