/** A rotation over a real cluster: killed while it waits, both secrets good, pods pull with the new one, and the old one goes in the end. */
import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Context, silentLogger } from "#core";
import { type RotateInput, resumeRotation } from "#delivery";
import { readConfig } from "#logins";
import { createFetch } from "#system";
import { findTokenIssuer } from "../src/cli/manage/token-issuer.ts";
import { type Kubelet, startKubelet } from "./support/kubelet.ts";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";
import { wharfFromSource } from "./support/wharf-process.ts";

const LONG = 60_000;
const context: Context = { signal: new AbortController().signal, log: silentLogger };
let kubelet: Kubelet | undefined;
let server: TestServer | undefined;

const kube = useKubeCluster("kube-rotation", {
  programs: ["unshare", "mount"],
  root: "as the kubelet does",
  async start({ cluster, scratch }) {
    mkdirSync(scratch.at("home"));
    kubelet = await startKubelet(cluster, scratch, { root: scratch.at("root") });
    server = await startTestServer();
    await server.createProject("team");
  },
  async stop() {
    await kubelet?.stop();
    await server?.stop();
  },
});

const environment = (): Record<string, string> => ({
  HOME: kube.scratch.at("home"),
  PATH: process.env["PATH"] ?? "",
  KUBECONFIG: kube.cluster.adminConfig,
});

const wharf = (line: string, input = ""): Promise<InProcessResult> =>
  runCli(line.split(" "), { cwd: kube.scratch.at("home"), env: environment(), input });

/** What the Secret of a namespace holds for the robot. */
async function secretIn(namespace: string, name: string): Promise<string> {
  const answer = await kube.cluster.request("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`);
  const { data } = (await answer.json()) as { data: Record<string, string> };
  const { auths } = JSON.parse(Buffer.from(data[".dockerconfigjson"] ?? "", "base64").toString());
  const [entry] = Object.values<{ auth: string }>(auths);
  const pair = Buffer.from(entry?.auth ?? "", "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}

async function isGood(robot: TestLogin, secret: string): Promise<boolean> {
  const answer = await server?.fetch("/v2/", { as: { username: robot.username, secret } });
  return answer?.status === 200;
}

/** The engine as the command runs it, at this moment; waiting is not to be needed any more. */
async function inputAt(now: number): Promise<RotateInput> {
  const surroundings = { env: environment(), cwd: kube.scratch.at("home") };
  return {
    surroundings,
    configPath: (await readConfig(surroundings)).path,
    fetch: createFetch({ environment: {}, userAgent: "test" }),
    findIssuer: (login, url) => findTokenIssuer({ ...surroundings, context }, login, url),
    said: () => undefined,
    now: () => now,
    wait: () => Promise.reject(new Error("nothing here has to be waited for")),
    noWait: false,
    takenUp: false,
  };
}

/** Starts `wharf rotate` by itself and kills it while it waits for programs that look again later. */
async function rotateUntilKilled(): Promise<void> {
  const log = kube.scratch.at("rotate.log");
  const child = Bun.spawn([...wharfFromSource, "rotate", "team"], {
    cwd: kube.scratch.at("home"),
    env: environment(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(log),
  });
  try {
    await until(
      "the rotation waits",
      async () => {
        const text = readFileSync(log, "utf8");
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${text}`);
        return /waiting.*seconds/.test(text) ? true : undefined;
      },
      LONG,
    );
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

kube.withCluster(
  "killed while it waits it goes on; in between both secrets pull, and pods that come get the new one",
  async () => {
    if (server === undefined || kubelet === undefined) throw new Error("nothing was started");
    await kube.cluster.addNamespace("runai-ml");
    const robot = await server.createRobot("team", "nodes");
    // Run:ai's copies take a minute: there is something to wait for.
    writeFileSync(
      kube.scratch.at("home/wharf.yaml"),
      `version: 1
logins: {}
deliver:
  - { to: kubernetes, at: "k8s://test", namespaces: [default], name: pulls }
  - { to: runai, at: "k8s://test", scope: project, projects: [ml], name: site }
`,
    );
    const login = await wharf(
      `login ${server.address}/team -u ${robot.username} --password-stdin --as team`,
      robot.secret,
    );
    const signIn = await wharf(
      `sign-in ${server.url} -u ${server.admin.username} --password-stdin`,
      server.admin.secret,
    );
    expect([login.code, signIn.code, (await wharf("apply --yes")).code]).toEqual([0, 0, 0]);
    const image = `${server.address}/team/app:1`;
    const sent = (secret: string): string => `${robot.username}:${secret}`;
    expect(await kubelet.tryPull("before", image, ["pulls"])).toEqual([sent(robot.secret)]);

    await rotateUntilKilled();
    const fresh = await secretIn("default", "pulls");
    expect(fresh).not.toBe(robot.secret);
    expect(await secretIn("runai-ml", "site")).toBe(fresh);
    expect([await isGood(robot, fresh), await isGood(robot, robot.secret)]).toEqual([true, true]);
    // The kubelet hears of the change by its watch, a moment later.
    const node = kubelet;
    let pods = 0;
    const tried = await until(
      "a new pod pulls with the new secret",
      async () => {
        const tries = await node.tryPull(`during-${++pods}`, image, ["pulls"]);
        return tries.includes(sent(robot.secret)) ? undefined : tries;
      },
      2 * LONG,
    );
    expect(tried).toEqual([sent(fresh)]);

    // Too early: nothing is revoked, and it is said until when.
    const early = await wharf("rotate team --continue --no-wait --json");
    expect([early.code, JSON.parse(early.out)]).toMatchObject([
      3,
      { done: false, remaining: [{ kind: "wait", why: expect.stringContaining("runai at k8s://test") }] },
    ]);
    expect(await isGood(robot, robot.secret)).toBe(true);

    const report = await resumeRotation(context, await inputAt(Date.now() + 61_000), "team");
    expect(report).toMatchObject({ isDone: true, direction: "forward", oldSecret: "revoked", remaining: [] });
    expect([await isGood(robot, fresh), await isGood(robot, robot.secret)]).toEqual([true, false]);
    expect(await kubelet.tryPull("after", image, ["pulls"])).toEqual([sent(fresh)]);
    expect((await wharf("rotate team --continue")).err).toContain("no rotation of team is under way");
    expect((await wharf("check --offline")).code).toBe(0);
    for (const secret of [fresh, robot.secret])
      expect(readFileSync(kube.scratch.at("rotate.log"), "utf8")).not.toContain(secret);
  },
  8 * LONG,
);
