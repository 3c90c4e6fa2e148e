/** `wharf watch` in a pod that goes, with all that it knew: the next one rewrites nothing, and takes away what left meanwhile. */
import { expect } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { runCli } from "./support/run-cli.ts";
import { until } from "./support/until.ts";
import { LONG, useWatch, type Watching } from "./support/use-watch.ts";

const watch = useWatch("kube-watch-restart");
const { kube, passwordIn, pullSecrets, served } = watch;
const NAME = "gone";
const LOGINS = ["a", "b"];

kube.withCluster(
  "a new pod knows what the one before delivered: namespaces that left are cleaned, a login that left is taken out, the rest is not touched",
  async () => {
    const passwords = new Map(LOGINS.map((login) => [login, crypto.randomUUID()]));
    for (const name of ["gone-1", "gone-2"]) await kube.cluster.addNamespace(name, { team: NAME });
    const first = passwords.get("a") ?? "";
    configure(passwords);
    // Makes the key of whoever seals.
    await wharf("vault", "recipients");
    const manifest = await wharf("kube", "controller", "--image", "registry.example/wharf:1");
    await kube.cluster.mustKubectl(["apply", "-f", "-"], { input: manifest });

    await runPod("one", async () => {
      for (const name of ["gone-1", "gone-2"]) await served(name, NAME, first);
      const last = "/gone-2/serviceaccounts/";
      await until("what was done is kept", async () => (await keptState()).includes(last) || undefined, LONG);
    });
    expect(await entriesIn("gone-1")).toEqual(["a.example", "b.example"]);
    const versions = await versionsIn("gone-1");
    await kube.cluster.mustKubectl(["label", "namespace", "gone-2", "team-"]);

    await runPod("two", async () => {
      await until(
        "what left is taken away",
        async () =>
          ((await passwordIn("gone-2", NAME)) === undefined &&
            !(await pullSecrets("gone-2")).includes(NAME)) ||
          undefined,
        LONG,
      );
      await until(
        "it is forgotten",
        async () => !(await keptState()).includes("/gone-2/") || undefined,
        LONG,
      );
    });
    expect(await versionsIn("gone-1")).toEqual(versions);

    passwords.delete("b");
    configure(passwords);
    await runPod("three", async () => {
      await until(
        "the login that left is taken out",
        async () => (await entriesIn("gone-1")).length === 1 || undefined,
        LONG,
      );
    });
    await served("gone-1", NAME, first);
    expect(await keptState()).toContain("/gone-1/");
    for (const password of passwords.values()) expect(await keptState()).not.toContain(password);
  },
  8 * LONG,
);

/** Seals what wharf.yaml says now and runs it as the Deployment does, until `work` is done; no pod has the work folder of another. */
async function runPod(name: string, work: () => Promise<void>): Promise<void> {
  const { KUBECONFIG: admin = "", HOME: home = "" } = watch.env;
  await wharf("vault", "seal", name, "--at", "k8s://test");
  const sealed = `${watch.folder}/${name}`;
  chmodSync(`${sealed}/key`, 0o440);
  watch.env["KUBECONFIG"] = await kube.cluster.serviceAccountConfig("wharf", "wharf-watch");
  watch.env["HOME"] = `${sealed}/home`;
  const workFolder = `${sealed}/work`;
  const pod: Watching = await watch.start(
    ["-c", "wharf.yaml", "--work", workFolder, "--at", "k8s://test", "--lease", "wharf/wharf-watch"],
    sealed,
  );
  await work();
  pod.process.kill("SIGTERM");
  expect(await pod.process.exited).toBe(0);
  expect(await pod.log()).not.toContain('"warn"');
  Object.assign(watch.env, { KUBECONFIG: admin, HOME: home });
}

function configure(passwords: ReadonlyMap<string, string>): void {
  const logins = [...passwords].map(([login, password]) => {
    writeFileSync(`${watch.folder}/${login}`, password, { mode: 0o600 });
    return `  ${login}: { registry: ${login}.example, username: robot, password: { file: ${login} } }`;
  });
  const delivery = `{ to: kubernetes, at: "k8s://test", namespaces: { selector: team=${NAME} }, name: ${NAME}, service-accounts: [default] }`;
  const lines = ["version: 1", "logins:", ...logins, "deliver:", `  - ${delivery}`];
  writeFileSync(`${watch.folder}/wharf.yaml`, `${lines.join("\n")}\n`, { mode: 0o600 });
}

async function wharf(...args: readonly string[]): Promise<string> {
  const done = await runCli(args, { env: watch.env, cwd: watch.folder });
  if (done.code !== 0) throw new Error(done.err);
  return done.out;
}

interface Answer {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

async function objectAt(path: string): Promise<Answer> {
  return (await (await kube.cluster.request("GET", `/api/v1/namespaces/${path}`)).json()) as Answer;
}

async function entriesIn(namespace: string): Promise<readonly string[]> {
  const { data } = await objectAt(`${namespace}/secrets/${NAME}`);
  const text = Buffer.from(data?.[".dockerconfigjson"] ?? "", "base64").toString();
  return Object.keys((JSON.parse(text) as { auths: Record<string, unknown> }).auths).sort();
}

async function versionsIn(namespace: string): Promise<readonly string[]> {
  const objects = [`${namespace}/secrets/${NAME}`, `${namespace}/serviceaccounts/default`];
  return await Promise.all(objects.map(async (path) => (await objectAt(path)).metadata.resourceVersion));
}

async function keptState(): Promise<string> {
  const { data } = await objectAt("wharf/secrets/wharf-watch-state");
  const content = data?.["content.gz"];
  return content === undefined ? "" : Buffer.from(Bun.gunzipSync(Buffer.from(content, "base64"))).toString();
}
