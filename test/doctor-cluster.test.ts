/** `wharf doctor --at k8s://…` at a real Kubernetes API: what is wrong in it, and what of it may be read. */
import { expect } from "bun:test";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";

const kube = useKubeCluster("doctor-cluster");
const { withCluster } = kube;
const LONG = 60_000;
const TYPE = "kubernetes.io/dockerconfigjson";
const WORD = crypto.randomUUID();

const auth = (pair: string): { auth: string } => ({ auth: Buffer.from(pair).toString("base64") });
const config = (key: string, word: string = WORD): string =>
  JSON.stringify({ auths: { [key]: auth(`robot:${word}`) } });

async function makeSecret(
  namespace: string,
  name: string,
  content: {
    readonly type?: string;
    readonly data: Readonly<Record<string, string>>;
    readonly labels?: object;
  },
): Promise<void> {
  const { type = TYPE, data, labels = {} } = content;
  const stringData = data;
  const body = { metadata: { name, labels }, type, stringData };
  const made = await kube.cluster.request("POST", `/api/v1/namespaces/${namespace}/secrets`, body);
  if (!made.ok) throw new Error(await made.text());
}

async function nameIn(namespace: string, names: readonly string[]): Promise<void> {
  const patch = { imagePullSecrets: names.map((name) => ({ name })) };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  const done = await kube.cluster.request("PATCH", path, patch, "application/merge-patch+json");
  if (!done.ok) throw new Error(await done.text());
}

const doctor = (args: readonly string[], kubeconfig = kube.cluster.adminConfig): Promise<InProcessResult> =>
  runCli(["doctor", "--at", "k8s://test", ...args], {
    cwd: kube.scratch.path,
    env: { HOME: kube.scratch.path, KUBECONFIG: kubeconfig },
  });

interface Document {
  readonly files: readonly { readonly path: string; readonly faults: readonly { readonly code: string }[] }[];
  readonly passedOver: readonly { readonly path: string; readonly error: { readonly code: string } }[];
}

/** Codes by the object's path below its namespace; objects without a fault are left out. */
function codesIn(text: string, namespace: string): Readonly<Record<string, readonly string[]>> {
  const { files } = JSON.parse(text) as Document;
  const root = `/namespaces/${namespace}/`;
  return Object.fromEntries(
    files
      .filter(({ path, faults }) => path.startsWith(root) && faults.length > 0)
      .map(({ path, faults }) => [path.slice(root.length), faults.map(({ code }) => code)]),
  );
}

withCluster(
  "each known mistake is found at its object, and nothing in a cluster that is as it should be",
  async () => {
    await kube.cluster.addNamespace("wrong");
    await kube.cluster.addNamespace("right");
    await makeSecret("right", "pulls", { data: { ".dockerconfigjson": config("r.example") } });
    await nameIn("right", ["pulls"]);
    const good = await doctor([]);
    expect([good.code, good.out]).toEqual([0, ""]);
    expect(good.err).toMatch(/^no known mistake in \d+ objects\n$/);

    const ended = [
      "eyJhbGciOiJub25lIn0",
      Buffer.from('{"exp":1000000000}').toString("base64url"),
      "c2ln",
    ].join(".");
    const secrets: Readonly<Record<string, Parameters<typeof makeSecret>[2]>> = {
      bare: { data: { ".dockerconfigjson": JSON.stringify({ "bare.example": auth(`robot:${WORD}`) }) } },
      colon: { data: { ".dockerconfigjson": JSON.stringify({ auths: { "c.example": auth(WORD) } }) } },
      ended: { data: { ".dockerconfigjson": config("e.example", ended) } },
      opaque: { type: "Opaque", data: { ".dockerconfigjson": config("o.example") } },
      key: { type: "Opaque", data: { "config.json": config("k.example") } },
      first: { data: { ".dockerconfigjson": config("twice.example") } },
      second: { data: { ".dockerconfigjson": config("https://twice.example", crypto.randomUUID()) } },
      runai: { data: { ".dockerconfigjson": config("a.example") }, labels: { "runai/cluster-wide": "true" } },
      // No pull secret, and nobody names it: it is not even fetched.
      foreign: { type: "Opaque", data: { password: WORD } },
    };
    for (const [name, content] of Object.entries(secrets)) await makeSecret("wrong", name, content);
    await nameIn("wrong", ["gone", "opaque", "first", "key", "second", "first"]);
    // As people make one by client-side apply.
    await kube.cluster.mustKubectl(["apply", "-f", "-"], {
      input: `apiVersion: v1\nkind: Secret\nmetadata: { name: applied, namespace: wrong }\ntype: ${TYPE}\ndata: { .dockerconfigjson: ${Buffer.from(config("y.example")).toString("base64")} }\n`,
    });

    const wrong = await doctor(["--json", "-n", "wrong"]);
    expect(wrong.code).toBe(3);
    expect(codesIn(wrong.out, "wrong")).toEqual({
      "secrets/applied": ["WD026"],
      "secrets/bare": ["WD006"],
      "secrets/colon": ["WD005"],
      "secrets/ended": ["WD057"],
      "secrets/opaque": ["WD023"],
      "secrets/runai": ["WD025", "WD104"],
      "serviceaccounts/default": ["WD100", "WD101", "WD102", "WD102", "WD103"],
    });
    expect((JSON.parse(wrong.out) as Document).files.map(({ path }) => path)).not.toContain(
      "/namespaces/wrong/secrets/foreign",
    );
    const all = await doctor(["--json"]);
    expect(codesIn(all.out, "wrong")).toEqual(codesIn(wrong.out, "wrong"));
    expect(codesIn(all.out, "right")).toEqual({});
    const words = await doctor(["-n", "wrong"]);
    expect(words.out).toContain("imagePullSecrets names gone, which is not there");
    expect(words.err).toContain("known mistakes in 7 objects\n");
    for (const secret of [WORD, Buffer.from(`robot:${WORD}`).toString("base64"), ended])
      expect(wrong.out + all.out + words.out + words.err).not.toContain(secret);
  },
  3 * LONG,
);

withCluster(
  "who may read one namespace gets that, who may read less is told what was not seen, and nothing is written",
  async () => {
    await kube.cluster.addNamespace("held");
    await makeSecret("held", "colon", {
      data: { ".dockerconfigjson": JSON.stringify({ auths: { "c.example": auth(WORD) } }) },
    });
    await nameIn("held", ["colon", "gone"]);
    const robot = async (name: string, ...verbs: readonly string[]): Promise<string> => {
      await kube.cluster.mustKubectl(["create", "serviceaccount", "-n", "held", name]);
      for (const rule of verbs) {
        const [verb = "", resource = ""] = rule.split(" ");
        const role = `${name}-${resource}`;
        await kube.cluster.mustKubectl([
          ..."create role -n held".split(" "),
          role,
          `--verb=${verb}`,
          `--resource=${resource}`,
        ]);
        await kube.cluster.mustKubectl([
          ..."create rolebinding -n held".split(" "),
          role,
          `--role=${role}`,
          `--serviceaccount=held:${name}`,
        ]);
      }
      return await kube.cluster.serviceAccountConfig("held", name);
    };
    const enough = await robot("enough", "get,list secrets", "list serviceaccounts");
    const found = await doctor(["--json", "-n", "held"], enough);
    expect([found.code, codesIn(found.out, "held"), JSON.parse(found.out).passedOver]).toEqual([
      3,
      { "secrets/colon": ["WD005"], "serviceaccounts/default": ["WD100"] },
      [],
    ]);
    const wide = await doctor([], enough);
    expect(wide.code).toBe(3);
    expect(wide.out).toContain("/serviceaccounts");
    expect(wide.out).toContain("hold it to one namespace with -n NAMESPACE");
    expect(wide.err).toBe("no known mistake in 0 files, and 2 could not be looked at\n");

    // Names by the ServiceAccounts, each Secret by itself.
    const named = await robot("named", "get secrets", "list serviceaccounts");
    const some = await doctor(["--json", "-n", "held"], named);
    expect(codesIn(some.out, "held")).toEqual(codesIn(found.out, "held"));
    expect((JSON.parse(some.out) as Document).passedOver.map(({ path }) => path)).toEqual([
      "/namespaces/held/secrets",
    ]);
    // A Secret that may not be seen is not said to be missing.
    const blind = await doctor(["--json", "-n", "held"], await robot("blind", "list serviceaccounts"));
    expect([blind.code, codesIn(blind.out, "held")]).toEqual([3, {}]);
    expect((JSON.parse(blind.out) as Document).passedOver).toMatchObject([
      { path: "/namespaces/held/secrets", error: { code: "DENIED" } },
      { path: "/namespaces/held/secrets/colon", error: { code: "DENIED" } },
      { path: "/namespaces/held/secrets/gone", error: { code: "DENIED" } },
    ]);
    expect((await doctor(["-n", "../held"])).code).toBe(2);
    const own = kube.cluster.audit().filter(({ user }) => user.startsWith("system:serviceaccount:held:"));
    expect(own.length).toBeGreaterThan(5);
    expect(own.filter(({ verb }) => verb !== "get" && verb !== "list")).toEqual([]);
  },
  3 * LONG,
);
