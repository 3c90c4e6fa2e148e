/** `wharf watch` as a process at a cluster of its own, for a file of tests. */
import { beforeEach } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { until } from "./until.ts";
import { type TestCluster, useKubeCluster } from "./use-kube-cluster.ts";
import { wharfFromSource } from "./wharf-process.ts";

/** For one step of a real cluster, milliseconds. */
export const LONG = 60_000;

export interface Watching {
  readonly process: Bun.Subprocess;
  log(): Promise<string>;
  /** Where its figures are. */
  readonly address: string;
}

export interface UsedWatch {
  readonly kube: TestCluster;
  /** This test's own, with the environment that every process is started with (it may be changed). */
  readonly folder: string;
  readonly env: Record<string, string>;
  /** Starts one and waits until it listens. */
  readonly start: (more?: readonly string[], where?: string) => Promise<Watching>;
  /** Writes wharf.yaml with this delivery of login `a`, and its secret. */
  readonly configure: (delivery: string, secret?: string, where?: string) => void;
  /** What the pull Secret of that name holds for login `a`. */
  readonly passwordIn: (namespace: string, name: string) => Promise<string | undefined>;
  readonly pullSecrets: (namespace: string, account?: string) => Promise<readonly string[]>;
  /** Waits until the Secret holds this password and the ServiceAccount names it. */
  readonly served: (namespace: string, name: string, password: string) => Promise<void>;
}

/** A value of its metrics. */
export async function figure(watching: Watching, name: string): Promise<number> {
  const text = await (await fetch(`http://${watching.address}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

/** Call it once, outside of tests. */
export function useWatch(label: string): UsedWatch {
  const kube = useKubeCluster(label, { stop: endChildren });
  let tests = 0;
  let folder: string;
  let env: Record<string, string>;
  let children: Bun.Subprocess[] = [];
  /** What those that run have written, for messages. */
  let logs: (() => Promise<string>)[] = [];

  beforeEach(async () => {
    await endChildren();
    logs = [];
    folder = kube.scratch.at(`run${++tests}`);
    mkdirSync(folder, { mode: 0o700 });
    env = {
      HOME: folder,
      PATH: process.env["PATH"] ?? "",
      KUBECONFIG: kube.cluster.adminConfig,
      XDG_RUNTIME_DIR: folder,
    };
  }, LONG);

  async function endChildren(): Promise<void> {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.exited));
    children = [];
  }

  async function startWatch(more: readonly string[] = [], where = folder): Promise<Watching> {
    const log = `${where}/watch-${crypto.randomUUID()}.log`;
    const child = Bun.spawn([...wharfFromSource, "watch", "--json", "--listen", "127.0.0.1:0", ...more], {
      cwd: where,
      env,
      stdin: "ignore",
      stdout: Bun.file(log),
      stderr: Bun.file(`${log}.err`),
    });
    children.push(child);
    const readLog = async (): Promise<string> =>
      (await Bun.file(log).text()) + (await Bun.file(`${log}.err`).text());
    logs.push(readLog);
    const address = await until(
      "wharf watch listens",
      async () => {
        if (child.exitCode !== null) throw new Error(await readLog());
        const [line = ""] = (await Bun.file(log).text()).split("\n");
        return line === "" ? undefined : (JSON.parse(line) as { address: string }).address;
      },
      LONG,
    );
    return { process: child, log: readLog, address };
  }

  function configure(delivery: string, secret: string = crypto.randomUUID(), where = folder): void {
    writeFileSync(`${where}/secret`, secret, { mode: 0o600 });
    const lines = [
      "version: 1",
      "logins:",
      `  a: { registry: "a.example", username: robot-a, password: { file: secret } }`,
      "deliver:",
      `  - ${delivery}`,
    ];
    writeFileSync(`${where}/wharf.yaml`, `${lines.join("\n")}\n`, { mode: 0o600 });
  }

  async function passwordIn(namespace: string, name: string): Promise<string | undefined> {
    const answer = await kube.cluster.request("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`);
    if (answer.status !== 200) return undefined;
    const { data } = (await answer.json()) as { data: Record<string, string> };
    const { auths } = JSON.parse(Buffer.from(data[".dockerconfigjson"] ?? "", "base64").toString()) as {
      auths?: Record<string, { auth: string }>;
    };
    return Buffer.from(auths?.["a.example"]?.auth ?? "", "base64")
      .toString()
      .split(":")[1];
  }

  async function pullSecrets(namespace: string, account = "default"): Promise<readonly string[]> {
    const answer = await kube.cluster.request(
      "GET",
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}`,
    );
    const { imagePullSecrets = [] } = (await answer.json()) as { imagePullSecrets?: { name: string }[] };
    return imagePullSecrets.map(({ name }) => name);
  }

  async function served(namespace: string, name: string, password: string): Promise<void> {
    await until(
      `${namespace} is served`,
      async () =>
        (await passwordIn(namespace, name)) === password && (await pullSecrets(namespace)).includes(name)
          ? true
          : undefined,
      LONG,
    ).catch(async (cause: unknown) => {
      throw new Error(`not served:\n${(await Promise.all(logs.map((log) => log()))).join("\n")}`, { cause });
    });
  }

  return {
    kube,
    get folder() {
      return folder;
    },
    get env() {
      return env;
    },
    start: startWatch,
    configure,
    passwordIn,
    pullSecrets,
    served,
  };
}
