/** What the consumer does where the place is a cluster: objects as one line of JSON. The real API server is in test/kube-delivery.test.ts. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Secret } from "#core";
import type { ConsumerLogin, FileDocument, Merged, Target } from "../contract.ts";
import { kubernetes } from "./index.ts";
import { matchPodSecrets } from "./pod-reader.ts";
import { mergeServiceAccount, serviceAccountDocument } from "./service-account.ts";

const target: Target = {
  home: "",
  user: "",
  uid: 0,
  env: {},
  namespaces: ["ml", "vision"],
  options: { name: "regcred", "service-accounts": ["default"] },
};
const word = (): string => crypto.randomUUID();
const login = (name: string, registry: string, secret = word()): ConsumerLogin => ({
  name,
  registry,
  path: undefined,
  username: `robot-${name}`,
  secret: new Secret(secret),
});
const b64 = (text: string): string => Buffer.from(text).toString("base64");

function documentOf(logins: readonly ConsumerLogin[], more: Partial<Target> = {}): FileDocument {
  const [document] = kubernetes.compile(logins, { ...target, ...more }).documents;
  if (document === undefined) throw new Error("no document");
  return document;
}

function secretText(
  auths: Readonly<Record<string, unknown>>,
  more: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly data?: Readonly<Record<string, string>>;
  } = {},
): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      labels: more.labels ?? { "app.kubernetes.io/managed-by": "wharf" },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": b64(JSON.stringify({ auths })), ...more.data },
    }),
  );
}

function authsOf(merged: Merged): Readonly<Record<string, { readonly auth: string }>> {
  const object = JSON.parse(Buffer.from(merged.content ?? "").toString()) as {
    readonly data: Readonly<Record<string, string>>;
  };
  const config = Buffer.from(object.data[".dockerconfigjson"] ?? "", "base64").toString();
  return (
    (JSON.parse(config) as { readonly auths?: Readonly<Record<string, { readonly auth: string }>> }).auths ??
    {}
  );
}

test("each namespace has the same text, Secrets come before what names them, and a second merge keeps the very bytes", () => {
  const { documents } = kubernetes.compile([login("a", "a.example"), login("b", "b.example")], target);
  expect(documents.map(({ path }) => path)).toEqual([
    "/namespaces/ml/secrets/regcred",
    "/namespaces/vision/secrets/regcred",
    "/namespaces/ml/serviceaccounts/default",
    "/namespaces/vision/serviceaccounts/default",
  ]);
  const made = documents.slice(0, 2).map((document) => kubernetes.merge(undefined, document, new Set()));
  expect(Buffer.from(made[0]?.content ?? "").toString()).toBe(Buffer.from(made[1]?.content ?? "").toString());
  const [document] = documents;
  const content = made[0]?.content;
  if (document === undefined || content === undefined) throw new Error("nothing was made");
  const again = kubernetes.merge(content, document, new Set());
  expect(again.content).toBe(content);
  expect(again.changes.map(({ action }) => action)).toEqual(["keep", "keep"]);
});

test("entries of others stay as they are, through adding, changing and taking ours out", () => {
  const host = fc.stringMatching(/^[a-z]{1,8}\.foreign(:[1-9][0-9]{0,3})?$/);
  const entry = fc.record({ auth: fc.string({ minLength: 1 }).map((text) => b64(`u:${text}`)) });
  fc.assert(
    fc.property(fc.dictionary(host, entry, { maxKeys: 6 }), fc.boolean(), (foreign, hasMore) => {
      const more = hasMore ? { data: { extra: b64("x") } } : {};
      const document = documentOf([login("a", "a.example")]);
      const keys = new Set(document.entries.map(({ key }) => key));
      const added = kubernetes.merge(secretText(foreign, more), document, new Set());
      const { "a.example": ours, ...others } = authsOf(added);
      expect(ours).toBeDefined();
      expect(others).toEqual(foreign);
      const changed = kubernetes.merge(added.content, documentOf([login("a", "a.example")]), keys);
      expect(authsOf(changed)["a.example"]).not.toEqual(ours);
      const { "a.example": _, ...left } = authsOf(changed);
      expect(left).toEqual(foreign);
      const empty: FileDocument = {
        kind: "file",
        path: document.path,
        mode: 0o600,
        folderMode: 0o700,
        entries: [],
      };
      const gone = kubernetes.merge(changed.content, empty, keys);
      // Written text has our fields alone: the server keeps what others own, another key of the data too.
      if (Object.keys(foreign).length === 0) expect(gone.content).toBeUndefined();
      else expect(authsOf(gone)).toEqual(foreign);
    }),
    { seed: 20261122, numRuns: 200 },
  );
});

test("another key in the data keeps the Secret when our last entry goes", () => {
  const document = documentOf([login("a", "a.example")]);
  const current = secretText({ "a.example": { auth: b64("u:p") } }, { data: { extra: b64("x") } });
  const empty: FileDocument = {
    kind: "file",
    path: document.path,
    mode: 0o600,
    folderMode: 0o700,
    entries: [],
  };
  const gone = kubernetes.merge(current, empty, new Set(["a.example"]));
  expect(authsOf(gone)).toEqual({});
});

test("labels of others are never written, and a missing one of ours is", () => {
  const current = secretText({}, { labels: { "app.kubernetes.io/managed-by": "wharf", theirs: "x" } });
  const merged = kubernetes.merge(current, documentOf([login("a", "a.example")]), new Set());
  expect(JSON.parse(Buffer.from(merged.content ?? "").toString())).toMatchObject({
    labels: { "app.kubernetes.io/managed-by": "wharf" },
  });
  expect(Buffer.from(merged.content ?? "").toString()).not.toContain("theirs");
});

test("a Secret without our label is refused for every login, and taken over with force where that is said", () => {
  const logins = [login("a", "a.example"), login("b", "b.example")];
  const current = secretText({ "x.foreign": { auth: b64("u:p") } }, { labels: {} });
  const refused = kubernetes.merge(current, documentOf(logins), new Set());
  expect([refused.content, refused.refusals.map((refusal) => refusal.login)]).toEqual([current, ["a", "b"]]);
  const over = documentOf(logins, { options: { ...target.options, "take-over": true } });
  const taken = kubernetes.merge(current, over, new Set());
  expect(Object.keys(authsOf(taken)).sort()).toEqual(["a.example", "b.example", "x.foreign"]);
  expect(JSON.parse(Buffer.from(taken.content ?? "").toString())).toMatchObject({ force: true });
});

test("a ServiceAccount's list keeps others' names in their order, has ours once, and loses only ours", () => {
  const name = fc.stringMatching(/^[a-z]{1,6}$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 8 }), name, fc.boolean(), (present, ours, isOwned) => {
      const path = "/namespaces/ml/serviceaccounts/default";
      const bytes = Buffer.from(JSON.stringify({ imagePullSecrets: present }));
      const namesOf = (merged: Merged): readonly string[] =>
        (JSON.parse(Buffer.from(merged.content ?? "").toString()) as { readonly imagePullSecrets: string[] })
          .imagePullSecrets;
      const owned = new Set(isOwned ? [ours] : []);
      const added = mergeServiceAccount(bytes, serviceAccountDocument(path, ours), owned);
      expect(namesOf(added)).toEqual(present.includes(ours) ? present : [...present, ours]);
      expect(mergeServiceAccount(added.content, serviceAccountDocument(path, ours), owned).content).toBe(
        added.content,
      );
      const empty: FileDocument = { kind: "file", path, mode: 0o600, folderMode: 0o700, entries: [] };
      const removed = mergeServiceAccount(added.content, empty, owned);
      expect(namesOf(removed)).toEqual(namesOf(added).filter((one) => !isOwned || one !== ours));
    }),
    { seed: 20261122, numRuns: 300 },
  );
});

test("the Secrets of a pod are one keyring: the longest key of any, then equal keys in the pod's order", () => {
  const auth = (user: string): { readonly auth: string } => ({ auth: b64(`${user}:p`) });
  const files = new Map([
    [
      "/namespaces/ml/secrets/one",
      secretText({ "r.example": auth("first"), "r.example/other": auth("none") }),
    ],
    [
      "/namespaces/ml/secrets/two",
      secretText({ "r.example": auth("second"), "r.example/team": auth("longest") }),
    ],
  ]);
  const answer = matchPodSecrets(files, "r.example/team/app:1");
  expect(answer.kind === "login" && [answer.match.username, answer.match.file, answer.match.shadows]).toEqual(
    [
      "longest",
      "/namespaces/ml/secrets/two",
      [
        "r.example of /namespaces/ml/secrets/one is tried next",
        "r.example of /namespaces/ml/secrets/two is tried next",
      ],
    ],
  );
});

test("types that the kubelet does not read are passed over, the old one is read, and what cannot be read fails the pod", () => {
  const text = (type: string, data: Readonly<Record<string, string>>): Uint8Array =>
    Buffer.from(JSON.stringify({ labels: {}, type, data }));
  const one = (bytes: Uint8Array): ReturnType<typeof matchPodSecrets> =>
    matchPodSecrets(new Map([["/namespaces/ml/secrets/x", bytes]]), "r.example/app");
  const auth = { auth: b64("u:p") };
  expect(
    one(text("Opaque", { ".dockerconfigjson": b64(JSON.stringify({ auths: { "r.example": auth } })) })).kind,
  ).toBe("anonymous");
  expect(
    one(text("kubernetes.io/dockercfg", { ".dockercfg": b64(JSON.stringify({ "r.example": auth })) })).kind,
  ).toBe("login");
  for (const config of ["{", '{"auths":{"z.example":{"auth":"bm9jb2xvbg=="}}}'])
    expect(one(text("kubernetes.io/dockerconfigjson", { ".dockerconfigjson": b64(config) })).kind).toBe(
      "broken",
    );
  const bare = one(
    text("kubernetes.io/dockerconfigjson", {
      ".dockerconfigjson": b64(JSON.stringify({ "r.example": auth })),
    }),
  );
  expect(bare.kind === "anonymous" && bare.why).toContain("has no auths around its entries");
  expect(matchPodSecrets(new Map(), "r.example/app").kind).toBe("anonymous");
});
