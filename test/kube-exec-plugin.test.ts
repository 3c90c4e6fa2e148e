/** Credential plugins of a kubeconfig at a real Kubernetes API: what they are told, when they are asked, and that nobody else hears of it. */
import { beforeEach, expect } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";

const kube = useKubeCluster("kube-plugin");
const { withCluster } = kube;
const LONG = 60_000;
const ARGUMENT = `argument-${crypto.randomUUID()}`;
const VARIABLE = `variable-${crypto.randomUUID()}`;
let folder: string;
let runs = 0;

beforeEach(() => {
  folder = kube.scratch.at(`run${++runs}`);
  mkdirSync(`${folder}/calls`, { recursive: true, mode: 0o700 });
});

/** A plugin that notes each call and answers with the files `answer1`, `answer2` …, the last one for good. */
const PLUGIN = `#!/bin/sh
set -eu
n=$(($(ls "$FOLDER/calls" | wc -l) + 1))
{ printf '%s\\n' "$@"; printf '%s\\n' "$OWN"; printf '%s\\n' "$KUBERNETES_EXEC_INFO"; wc -c; } > "$FOLDER/calls/$n"
echo "the plugin speaks on standard error" >&2
while [ ! -e "$FOLDER/answer$n" ]; do n=$((n - 1)); done
cat "$FOLDER/answer$n"
`;

/** A kubeconfig with this plugin, which gives these statuses of an ExecCredential in order. */
function configure(...answers: readonly object[]): void {
  writeFileSync(`${folder}/plugin`, PLUGIN, { mode: 0o700 });
  const apiVersion = "client.authentication.k8s.io/v1";
  for (const [index, status] of answers.entries())
    writeFileSync(
      `${folder}/answer${index + 1}`,
      JSON.stringify({ apiVersion, kind: "ExecCredential", status }),
      { mode: 0o600 },
    );
  const exec = {
    apiVersion,
    command: "./plugin",
    args: ["get-token", ARGUMENT],
    env: [
      { name: "FOLDER", value: folder },
      { name: "OWN", value: VARIABLE },
    ],
    interactiveMode: "IfAvailable",
    provideClusterInfo: true,
  };
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "test",
        cluster: { server: kube.cluster.server, "certificate-authority": kube.cluster.caFile },
      },
    ],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    users: [{ name: "test", user: { exec } }],
  };
  writeFileSync(`${folder}/config`, JSON.stringify(kubeconfig), { mode: 0o600 });
  writeFileSync(
    `${folder}/wharf.yaml`,
    'version: 1\nlogins:\n  a: { registry: a.example, username: robot, password: { env: WORD } }\ndeliver:\n  - { to: kubernetes, at: "k8s://test", namespaces: { selector: team=plugin }, name: pulls, service-accounts: [default] }\n',
    { mode: 0o600 },
  );
}

const wharf = (line: string): Promise<InProcessResult> =>
  runCli(line.split(" "), {
    cwd: folder,
    env: {
      HOME: folder,
      PATH: process.env["PATH"] ?? "",
      KUBECONFIG: `${folder}/config`,
      WORD: crypto.randomUUID(),
    },
  });

function calls(): readonly string[] {
  return readdirSync(`${folder}/calls`).map((name) => readFileSync(`${folder}/calls/${name}`, "utf8"));
}

/** Nothing of the plugin's matters is in what wharf said, logged and wrote. */
function expectSilence(result: InProcessResult, ...secrets: readonly string[]): void {
  const written = readdirSync(folder)
    .filter((name) => name.startsWith("wharf."))
    .map((name) => readFileSync(`${folder}/${name}`, "utf8"));
  const said = [result.out, result.err, JSON.stringify(result.logged), ...written].join("\n");
  for (const secret of [...secrets, ARGUMENT, VARIABLE, "speaks on standard error"])
    expect(said).not.toContain(secret);
}

withCluster(
  "a plugin is told its arguments, its environment and the cluster, is asked once, and its token is used and never said",
  async () => {
    for (let index = 0; index < 12; index++)
      await kube.cluster.addNamespace(`plugin-${index}`, { team: "plugin" });
    configure({ token: kube.cluster.adminToken });
    const applied = await wharf("apply --yes");
    expect([applied.code, applied.err]).toEqual([0, expect.any(String)]);
    const made = await kube.cluster.mustKubectl(["get", "secrets", "-A", "-o", "name"]);
    expect(made.match(/^secret\/pulls$/gm)?.length).toBe(12);
    const [call = "", ...more] = calls();
    expect(more).toEqual([]);
    const [first, second, own, info = "", bytes] = call.trim().split("\n");
    expect([first, second, own, Number(bytes)]).toEqual(["get-token", ARGUMENT, VARIABLE, 0]);
    expect(JSON.parse(info)).toEqual({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      spec: {
        interactive: false,
        cluster: {
          server: kube.cluster.server,
          "certificate-authority-data": readFileSync(kube.cluster.caFile).toString("base64"),
        },
      },
    });
    expectSilence(applied, kube.cluster.adminToken);
  },
  3 * LONG,
);

withCluster(
  "a token that is refused is asked for anew, once for all requests; a second refusal is the answer",
  async () => {
    const stale = crypto.randomUUID();
    configure({ token: stale }, { token: kube.cluster.adminToken });
    const checked = await wharf("plan");
    expect([checked.code, checked.err]).toEqual([expect.any(Number), expect.not.stringContaining("error")]);
    expect(calls().length).toBe(2);
    expectSilence(checked, stale, kube.cluster.adminToken);

    rmSync(`${folder}/calls`, { recursive: true });
    mkdirSync(`${folder}/calls`);
    configure({ token: stale });
    rmSync(`${folder}/answer2`);
    const refused = await wharf("plan");
    expect(refused.code).not.toBe(0);
    expect(refused.out + refused.err).toContain("the API server does not know this login");
    expect(calls().length).toBe(2);
    expectSilence(refused, stale);
  },
  3 * LONG,
);

withCluster(
  "what is about to end is asked for again before it does; a certificate serves as a token does",
  async () => {
    const soon = new Date(Date.now() + 5_000).toISOString();
    configure({ token: kube.cluster.adminToken, expirationTimestamp: soon });
    expect((await wharf("plan")).code).not.toBe(1);
    expect(calls().length).toBeGreaterThan(1);

    rmSync(`${folder}/calls`, { recursive: true });
    mkdirSync(`${folder}/calls`);
    const later = new Date(Date.now() + 3600_000).toISOString();
    const files = await kube.cluster.userConfig("ann", ["system:masters"]);
    const [certificate, key] = ["crt", "key"].map((end) => readFileSync(files.replace(/conf$/, end), "utf8"));
    configure({ clientCertificateData: certificate, clientKeyData: key, expirationTimestamp: later });
    const applied = await wharf("apply --yes");
    expect([applied.code, calls().length]).toEqual([0, 1]);
    expect(kube.cluster.audit().some(({ user, verb }) => user === "ann" && verb === "patch")).toBe(true);
    expectSilence(applied, (key ?? "").split("\n")[1] ?? "");
  },
  3 * LONG,
);

withCluster(
  "a plugin that fails, is not there or wants a terminal: said by its name, without what it printed",
  async () => {
    configure({ token: "" });
    const empty = await wharf("plan");
    expect(empty.out + empty.err).toContain("gave neither token nor certificate");
    expectSilence(empty);
    writeFileSync(`${folder}/answer1`, "not json, and speaks on standard error");
    const wrong = await wharf("plan");
    expect(wrong.out + wrong.err).toContain("printed no JSON");
    expectSilence(wrong);
    writeFileSync(`${folder}/plugin`, "#!/bin/sh\necho speaks on standard error >&2\nexit 7\n", {
      mode: 0o700,
    });
    const failed = await wharf("plan");
    expect(failed.out + failed.err).toContain("ended with exit code 7");
    expectSilence(failed);
    rmSync(`${folder}/plugin`);
    const gone = await wharf("plan");
    expect(gone.out + gone.err).toContain("plugin is not there");
    const asks = readFileSync(`${folder}/config`, "utf8").replace("IfAvailable", "Always");
    writeFileSync(`${folder}/config`, asks);
    const always = await wharf("plan");
    expect(always.out + always.err).toContain("interactiveMode: Always");
    expectSilence(always);
  },
  3 * LONG,
);
