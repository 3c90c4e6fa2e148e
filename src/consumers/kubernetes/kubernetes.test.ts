import { expect, test } from "bun:test";
import { isAppError, Secret } from "#core";
import { kubeletCases, usersOf } from "../../../test/support/kubelet-cases.ts";
import type { ConsumerLogin, MatchAnswer, Target } from "../contract.ts";
import { kubernetes } from "./index.ts";
import { renderHead, renderSecretYaml } from "./secret-yaml.ts";

const target: Target = { home: "", user: "u", uid: 1000, env: {} };
const PATH = "/regcred.yaml";
const b64 = (text: string): string => Buffer.from(text).toString("base64");

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function match(config: object, image: string): MatchAnswer {
  const yaml = renderSecretYaml(renderHead("regcred", undefined), Buffer.from(JSON.stringify(config)));
  return kubernetes.match(new Map([[PATH, Buffer.from(yaml)]]), image, target);
}

/** Who is tried, in order; or how it fails. */
function tried(config: object, image: string): string {
  const answer = match(config, image);
  if (answer.kind !== "login") return answer.kind;
  return [answer.match.key, ...answer.match.shadows.map((text) => text.split(" ")[0])].join(" ");
}

test.each([...kubeletCases])("kubelet: %s", (_name, config, image, wanted) => {
  expect(tried(config, image)).toBe(wanted);
});

test("an identity token is no login for the kubelet, and is refused", () => {
  expect(match({ auths: { "reg.io": { auth: b64("u:"), identitytoken: "t" } } }, "reg.io/x")).toMatchObject({
    match: { username: "u", identityToken: false },
  });
  const { refusals } = kubernetes.compile([login("azure", "a.azurecr.io", { identityToken: true })], target);
  expect(refusals[0]?.hint).toContain("00000000-0000-0000-0000-000000000000");
});

test("keys of paths: a slash where somebody else would be hit, and wider where nobody would", () => {
  const keys = (...logins: ConsumerLogin[]): unknown => {
    const { documents, warnings } = kubernetes.compile(logins, target);
    return [documents[0]?.entries.map(({ key }) => key), warnings.map((warning) => warning.kind)];
  };
  expect(keys(login("a", "r.io", { path: "team" }))).toEqual([["r.io/team/"], ["format"]]);
  expect(keys(login("a", "r.io", { path: "team/app" }))).toEqual([["r.io/team/app"], ["wider"]]);
  expect(keys(login("a", "r.io", { path: "team/app" }), login("b", "r.io"))).toEqual([
    ["r.io/team/app/", "r.io"],
    ["format"],
  ]);
  expect(keys(login("hub", "docker.io"))).toEqual([["docker.io", "https://index.docker.io/v1/"], []]);
});

test("a whole Google key file goes in as it is, new lines and quotes included", () => {
  const key = JSON.stringify(
    { type: "service_account", text: "line\nline\n", made: crypto.randomUUID() },
    null,
    2,
  );
  const google = login("gcr", "eu.gcr.io", { username: "_json_key", secret: new Secret(key) });
  const [document] = kubernetes.compile([google], target).documents;
  if (document === undefined) throw new Error("no document");
  const { content } = kubernetes.merge(undefined, document, new Set());
  const answer = kubernetes.match(new Map([[PATH, content ?? new Uint8Array()]]), "eu.gcr.io/p/x", target);
  expect(answer.kind === "login" && answer.match.secret.reveal()).toBe(key);
});

test("a name for each namespace; names that Kubernetes refuses are refused before", () => {
  const at = (options: Record<string, unknown>): Target => ({ ...target, options });
  const logins = [login("a", "r.io")];
  expect(
    kubernetes
      .compile(logins, at({ name: "pull", namespaces: ["x", "y"] }))
      .documents.map(({ path }) => path),
  ).toEqual(["/x/pull.yaml", "/y/pull.yaml"]);
  expect(kubernetes.compile(logins, at({ file: "/s.yaml" })).documents[0]?.path).toBe("/s.yaml");
  for (const options of [
    { name: "Up" },
    { name: "a_b" },
    { namespace: "a.b" },
    { namespaces: "all" },
    { name: 3 },
  ]) {
    const { refusals, documents } = kubernetes.compile(logins, at(options));
    expect(refusals.map((refusal) => refusal.login)).toEqual(["a"]);
    expect(documents).toEqual([]);
  }
});

test("logins that a Secret has no room for are refused", () => {
  const big = login("big", "r.io", { secret: new Secret("x".repeat(1024 * 1024)) });
  expect(kubernetes.compile([big], target).refusals[0]?.reason).toContain("1048576");
});

test.each([
  ["several objects", `${renderHead("regcred", undefined)}  .dockerconfigjson: e30=\n---\nkind: Pod\n`],
  ["another kind", "kind: ConfigMap\nmetadata: {name: regcred}\n"],
  ["another name", renderSecretYaml(renderHead("other", undefined), Buffer.from("{}"))],
  ["another namespace", renderSecretYaml(renderHead("regcred", "ns"), Buffer.from("{}"))],
  [
    "stringData",
    `kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: regcred}\nstringData: {.dockerconfigjson: "{}"}\n`,
  ],
  ["base64 of something else", renderHead("regcred", undefined) + "  .dockerconfigjson: bm90IGpzb24=\n"],
  ["no YAML", "a: [\n"],
  ["a key twice", "kind: Secret\nkind: Secret\n"],
])("a file with %s is left alone", (_name, text) => {
  const [document] = kubernetes.compile([login("a", "r.io")], target).documents;
  if (document === undefined) throw new Error("no document");
  let code = "no error";
  try {
    kubernetes.merge(Buffer.from(text), document, new Set());
  } catch (error) {
    code = isAppError(error) ? error.code : String(error);
  }
  expect(code).toBe("FILE_INVALID");
});

test("a value over several lines is replaced by one line, all else stays", () => {
  const [document] = kubernetes.compile([login("a", "r.io")], target).documents;
  if (document === undefined) throw new Error("no document");
  const value = b64(JSON.stringify(usersOf("b.io"))).replace(/.{20}/g, "$&\n    ");
  const text = `kind: Secret # mine\ntype: kubernetes.io/dockerconfigjson\nmetadata:\n  name: regcred\ndata:\n  .dockerconfigjson: |\n    ${value}\nimmutable: false\n`;
  const { content } = kubernetes.merge(Buffer.from(text), document, new Set());
  const after = Buffer.from(content ?? "").toString();
  expect(after).toMatch(
    /^kind: Secret # mine\n[^]*\n {2}\.dockerconfigjson: [A-Za-z0-9+/=]+\nimmutable: false\n$/,
  );
  for (const image of ["r.io/x", "b.io/x"])
    expect(kubernetes.match(new Map([[PATH, Buffer.from(after)]]), image, target).kind).toBe("login");
});
