/** A login that ends is announced beside its Secrets, as Events of a real Kubernetes API, by a clock that is moved. */
import { afterEach, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { type Context, silentLogger } from "#core";
import { configStamp, createWatchFigures, openDelivery, type WatchFigures, watchPlace } from "#delivery";
import { readConfig } from "#logins";
import { runCli } from "./support/run-cli.ts";
import { until } from "./support/until.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";

const kube = useKubeCluster("kube-events");
const { withCluster } = kube;
const LONG = 60_000;
const DAY = 24 * 3600_000;
const EXPIRES = new Date("2031-05-01T00:00:00Z");
let started: Watching[] = [];

/** One that a failed test left would keep the Lease. */
afterEach(async () => {
  for (const one of started) await one.stop().catch(() => undefined);
  started = [];
}, LONG);

interface SeenEvent {
  readonly metadata: { readonly name: string };
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

async function eventsOf(namespace: string): Promise<readonly SeenEvent[]> {
  const answer = await kube.cluster.request("GET", `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
  const { items } = (await answer.json()) as { items: readonly SeenEvent[] };
  return items.filter(({ reason }) => reason.startsWith("Login"));
}

interface Watching {
  readonly figures: WatchFigures;
  /** What was logged as a warning. */
  readonly warnings: readonly { readonly message: string; readonly code: unknown }[];
  now: Date;
  stop(): Promise<void>;
}

/** `wharf watch` in this process, as the commands start it, with a clock of the test's own; all is looked at again every half second. */
function startWatching(folder: string, env: Readonly<Record<string, string>>, now: Date): Watching {
  const end = new AbortController();
  const warnings: { message: string; code: unknown }[] = [];
  const log = {
    ...silentLogger,
    warn: (message: string, fields?: Readonly<Record<string, unknown>>) =>
      void warnings.push({ message, code: (fields?.["error"] as { code?: string } | undefined)?.code }),
  };
  const context: Context = { signal: end.signal, log };
  const surroundings = { env, cwd: folder };
  const figures = createWatchFigures();
  const watching: Watching = {
    figures,
    warnings,
    now,
    async stop() {
      end.abort();
      await done;
    },
  };
  const done = watchPlace(context, {
    open: async () => await openDelivery(context, surroundings, await readConfig(surroundings), true),
    stamp: () => configStamp(`${folder}/wharf.yaml`),
    lease: { namespace: "kube-system", name: "events", holder: `wharf-${crypto.randomUUID()}` },
    figures,
    keepsState: false,
    resyncMs: 500,
    now: () => watching.now,
  });
  // Awaited by stop().
  done.catch(() => undefined);
  started.push(watching);
  return watching;
}

async function looked(watching: Watching, times = 2): Promise<void> {
  const looks = watching.figures.looks + times;
  await until("all is looked at again", async () => watching.figures.looks >= looks || undefined, LONG);
}

function configure(folder: string, context: string, namespaces: string): string {
  mkdirSync(folder, { mode: 0o700 });
  const secret = crypto.randomUUID();
  writeFileSync(`${folder}/secret`, secret, { mode: 0o600 });
  const lines = [
    "version: 1",
    "logins:",
    `  a: { registry: a.example/team, username: robot-a, password: { file: secret }, expires: ${EXPIRES.toISOString()} }`,
    "  b: { registry: b.example, username: robot-b, password: { file: secret } }",
    "deliver:",
    `  - { to: kubernetes, at: "k8s://${context}", namespaces: ${namespaces}, name: pulls, service-accounts: [default] }`,
  ];
  writeFileSync(`${folder}/wharf.yaml`, `${lines.join("\n")}\n`, { mode: 0o600 });
  return secret;
}

/** A ServiceAccount with the roles that wharf prints, and its kubeconfig. */
async function robotFor(folder: string, name: string, change = (text: string) => text): Promise<string> {
  await kube.cluster.mustKubectl(["create", "serviceaccount", "-n", "kube-system", name]);
  const roles = await runCli(
    ["kube", "rbac", "--service-account", `kube-system/${name}`, "--watch", "kube-system/events"],
    { cwd: folder, env: { HOME: folder, KUBECONFIG: kube.cluster.adminConfig } },
  );
  expect([roles.code, roles.err]).toEqual([0, ""]);
  const manifest = change(roles.out.replaceAll(": wharf-watch", `: ${name}`));
  await kube.cluster.mustKubectl(["apply", "-f", "-"], { input: manifest });
  return await kube.cluster.serviceAccountConfig("kube-system", name);
}

withCluster(
  "two weeks before and when it has ended, one Event on each Secret, counted on and not repeated, with the printed roles",
  async () => {
    const folder = kube.scratch.at("ends");
    for (const name of ["ends-1", "ends-2"]) await kube.cluster.addNamespace(name, { team: "ends" });
    const secret = configure(folder, "test", "{ selector: team=ends }");
    const config = await robotFor(folder, "ends");
    const watching = startWatching(
      folder,
      { HOME: folder, KUBECONFIG: config },
      new Date(EXPIRES.getTime() - 20 * DAY),
    );
    await until("it is delivered", async () => watching.figures.written >= 4 || undefined, LONG);
    await looked(watching);
    expect(await eventsOf("ends-1")).toEqual([]);

    watching.now = new Date(EXPIRES.getTime() - 10 * DAY);
    for (const namespace of ["ends-1", "ends-2"])
      await until("it is announced", async () => (await eventsOf(namespace)).length > 0 || undefined, LONG);
    await looked(watching, 3);
    const [event, ...more] = await eventsOf("ends-1");
    const there = await (await kube.cluster.request("GET", "/api/v1/namespaces/ends-1/secrets/pulls")).json();
    const { uid } = (there as { metadata: { uid: string } }).metadata;
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: "Warning",
      reason: "LoginExpiresSoon",
      note: "the login a for a.example/team in this Secret expires on 2031-05-01T00:00:00.000Z: give it a new secret with wharf rotate a",
      regarding: { kind: "Secret", name: "pulls", uid },
    });
    expect(event?.series).toBeUndefined();
    // Where people look for it.
    expect(await kube.cluster.mustKubectl(["events", "-n", "ends-1", "--for", "secret/pulls"])).toContain(
      "LoginExpiresSoon",
    );

    watching.now = new Date(EXPIRES.getTime() - 10 * DAY + 2 * 3600_000);
    await until("it is counted", async () => (await eventsOf("ends-1"))[0]?.series?.count, LONG);
    expect((await eventsOf("ends-1")).map(({ series }) => series?.count)).toEqual([2]);

    watching.now = new Date(EXPIRES.getTime() + 1);
    await until("its end is announced", async () => (await eventsOf("ends-2"))[1], LONG);
    // A namespace that comes now is told too.
    await kube.cluster.addNamespace("ends-3", { team: "ends" });
    await until("a new one is told", async () => (await eventsOf("ends-3"))[0], LONG);
    await looked(watching, 3);
    expect((await eventsOf("ends-2")).map(({ reason }) => reason).sort()).toEqual([
      "LoginExpired",
      "LoginExpiresSoon",
    ]);
    expect((await eventsOf("ends-3")).map(({ reason }) => reason)).toEqual(["LoginExpired"]);
    await watching.stop();
    expect(watching.figures.announced).toBe(7);
    expect(watching.warnings.every(({ code }) => code === undefined)).toBe(true);

    // Another that takes over says the same: the API server knows it already.
    const second = startWatching(folder, { HOME: folder, KUBECONFIG: config }, watching.now);
    await until("it is announced again", async () => second.figures.announced >= 3 || undefined, LONG);
    await second.stop();
    const names = (await eventsOf("ends-2")).map(({ metadata }) => metadata.name);
    expect(names.length).toBe(2);
    expect(JSON.stringify(await eventsOf("ends-1"))).not.toContain(secret);
  },
  5 * LONG,
);

withCluster(
  "the right to write Events is held to the namespaces served; without it all else goes on, and it is said once",
  async () => {
    const folder = kube.scratch.at("least");
    for (const name of ["least-1", "least-2"]) await kube.cluster.addNamespace(name);
    configure(folder, "test", "[least-1]");
    const config = await robotFor(folder, "least");
    const mayI = async (...question: readonly string[]): Promise<string> =>
      (await kube.cluster.kubectl(["auth", "can-i", ...question], { config })).out.trim();
    const events = "events.events.k8s.io";
    expect(await mayI("create", events, "-n", "least-1")).toBe("yes");
    expect(await mayI("patch", events, "-n", "least-1")).toBe("yes");
    for (const question of [
      ["create", events, "-n", "least-2"],
      ["get", events, "-n", "least-1"],
      ["list", events, "-n", "least-1"],
      ["delete", events, "-n", "least-1"],
      ["create", "events", "-n", "least-1"],
    ])
      expect([question, await mayI(...question)]).toEqual([question, "no"]);

    const without = await robotFor(folder, "without", (text) =>
      text.replace(/ {2}- apiGroups: \["events.*\n.*\n.*\n/g, ""),
    );
    const watching = startWatching(
      folder,
      { HOME: folder, KUBECONFIG: without },
      new Date(EXPIRES.getTime() + DAY),
    );
    await until("it is delivered", async () => watching.figures.written >= 2 || undefined, LONG);
    await looked(watching, 3);
    await watching.stop();
    const denied = watching.warnings.filter(({ code }) => code === "DENIED");
    expect(denied.map(({ message }) => message)).toEqual(["an expiry could not be announced as an event"]);
    expect(watching.figures.errors).toBe(0);
    expect(await eventsOf("least-1")).toEqual([]);
  },
  5 * LONG,
);
