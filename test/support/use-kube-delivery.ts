import { beforeEach, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { extendFixture } from "./extend-fixture.ts";
import { type CliOptions, type CliResult, runCli } from "./run-cli.ts";
import { type TestCluster, useKubeCluster } from "./use-kube-cluster.ts";

/** The cluster of one test file, and for each test a folder from which wharf delivers into it. */
export interface KubeDelivery extends TestCluster {
  /** The running test's own folder, empty at first: wharf's home and working directory. */
  readonly folder: string;
  /** What wharf is given; the running test may change it. Holds PASS_A and PASS_B, the logins' secrets. */
  readonly env: Record<string, string>;
  readonly wharf: (args: readonly string[], more?: CliOptions) => Promise<CliResult>;
  /** Writes wharf.yaml with the logins a (a.example) and b (b.example/team) and these deliveries. */
  readonly configure: (...deliveries: readonly string[]) => void;
  /** `wharf apply`; throws with its words when it ends with another code than this one, by default 0. */
  readonly apply: (code?: number) => Promise<CliResult>;
  /** A Secret, by default regcred; undefined when there is none. */
  readonly secretIn: (namespace: string, name?: string) => Promise<SecretShape | undefined>;
  /** The logins of a docker config in a Secret, by their keys. */
  readonly authsIn: (namespace: string, name?: string) => Promise<Auths>;
  /** The names of a ServiceAccount's list, in its order. */
  readonly pullSecretsOf: (namespace: string, account?: string) => Promise<readonly string[]>;
  /** How often something was written into the cluster so far, by anybody. */
  readonly countWrites: () => number;
}

export type Auths = Readonly<Record<string, { readonly auth: string }>>;

export interface SecretShape {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** As `useKubeCluster`: call it once, outside of tests. */
export function useKubeDelivery(label: string): KubeDelivery {
  const kube = useKubeCluster(label);
  let tests = 0;
  let folder = "";
  let env: Record<string, string> = {};
  beforeEach(() => {
    folder = kube.scratch.at(`run${++tests}`);
    mkdirSync(folder, { mode: 0o700 });
    env = {
      HOME: folder,
      PATH: process.env["PATH"] ?? "",
      KUBECONFIG: kube.cluster.adminConfig,
      XDG_RUNTIME_DIR: folder,
      PASS_A: crypto.randomUUID(),
      PASS_B: crypto.randomUUID(),
    };
  });
  const wharf: KubeDelivery["wharf"] = (args, more = {}) => runCli(args, { env, cwd: folder, ...more });
  const secretIn: KubeDelivery["secretIn"] = async (namespace, name = "regcred") => {
    const answer = await kube.cluster.request("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`);
    if (answer.status === 404) return undefined;
    expect(answer.status).toBe(200);
    return (await answer.json()) as SecretShape;
  };
  return extendFixture<TestCluster, KubeDelivery>(kube, {
    get folder() {
      return folder;
    },
    get env() {
      return env;
    },
    wharf,
    configure: (...deliveries) => writeConfig(folder, deliveries),
    async apply(code = 0) {
      const result = await wharf(["apply", "--yes"]);
      if (result.code !== code)
        throw new Error(`apply ended with ${result.code}\n${result.out}${result.err}`);
      return result;
    },
    secretIn,
    async authsIn(namespace, name) {
      const secret = await secretIn(namespace, name);
      const text = Buffer.from(secret?.data[".dockerconfigjson"] ?? "", "base64").toString();
      return (JSON.parse(text) as { readonly auths: Auths }).auths;
    },
    async pullSecretsOf(namespace, account = "default") {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}`;
      const { imagePullSecrets = [] } = (await (await kube.cluster.request("GET", path)).json()) as {
        readonly imagePullSecrets?: readonly { readonly name: string }[];
      };
      return imagePullSecrets.map(({ name }) => name);
    },
    countWrites: () =>
      kube.cluster.audit().filter(({ verb }) => ["create", "update", "patch", "delete"].includes(verb))
        .length,
  });
}

function writeConfig(folder: string, deliveries: readonly string[]): void {
  const lines = [
    "version: 1",
    "logins:",
    '  a: { registry: "a.example", username: robot-a, password: { env: PASS_A } }',
    '  b: { registry: "b.example/team", username: robot-b, password: { env: PASS_B } }',
    "deliver:",
    ...deliveries.map((delivery) => `  - ${delivery}`),
  ];
  writeFileSync(`${folder}/wharf.yaml`, `${lines.join("\n")}\n`, { mode: 0o600 });
}
