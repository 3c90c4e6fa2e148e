import fc from "fast-check";

const b64 = (text: string): string => Buffer.from(text).toString("base64");

const hosts = [
  "a.example",
  "a.example:5000",
  "b.a.example",
  "A.example",
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "localhost",
  "localhost:5000",
  "*.example",
  "*.a.example",
  "*",
  "*.*",
  "a.ex*",
  "?.example",
  "a.[de]xample",
  "[::1]:5000",
  "127.0.0.1:5000",
];
const paths = [
  "",
  "",
  "/",
  "/v1/",
  "/v2/",
  "/v2",
  "/v1/team",
  "/team",
  "/team/",
  "/team/app",
  "/te",
  "/team%2Fapp",
  "/library",
  "/library/nginx",
  "/%zz",
  "?x=1",
  "#x",
];
const keys = fc
  .tuple(
    fc.constantFrom("", "", "", "https://", "http://", "ftp://", "//", "u:p@"),
    fc.constantFrom(...hosts),
    fc.constantFrom(...paths),
  )
  .map((parts) => parts.join(""));

const pair = fc.nat({ max: 999 }).map((number) => `user-${number}:word-${number}`);
const entries = fc.oneof(
  { weight: 30, arbitrary: pair.map((text): unknown => ({ auth: b64(text) })) },
  { weight: 2, arbitrary: pair.map((text): unknown => ({ auth: b64(text).replace(/=+$/, "") })) },
  { weight: 2, arbitrary: pair.map((text): unknown => ({ Auth: b64(text) })) },
  {
    weight: 4,
    arbitrary: pair.map((text): unknown => ({
      username: text.split(":")[0],
      password: text.split(":")[1],
      email: "x@example",
    })),
  },
  {
    weight: 2,
    arbitrary: pair.map((text): unknown => ({ auth: b64(text), username: "inline", password: "inline" })),
  },
  { weight: 2, arbitrary: pair.map((text): unknown => ({ auth: b64(text), identitytoken: "token" })) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({}, null, { auth: "" }, { auth: b64("user:") }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      { auth: b64("nocolon") },
      { auth: "!" },
      { auth: 3 },
      { auth: `${b64("u:p")}\n` },
      { auth: b64("u:p\0\0") },
      { auth: "dTpw=" },
      { password: 3 },
      "text",
      [],
    ),
  },
);

/** Maps of entries by key: all spellings of hosts and paths, entries of every form, some broken. */
export const auths = fc
  .uniqueArray(fc.tuple(keys, entries), { maxLength: 6, selector: ([key]) => key })
  .map((list) => Object.fromEntries(list));
/** Whole files around them, in the forms that are read and in some that are not. */
export const configs = fc.oneof(
  { weight: 20, arbitrary: auths.map((map): unknown => ({ auths: map })) },
  {
    weight: 2,
    arbitrary: auths.map((map): unknown => ({
      credsStore: "pass",
      credHelpers: { "a.example": "x" },
      auths: map,
    })),
  },
  { weight: 1, arbitrary: auths.map((map): unknown => map) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({}, { auths: null }, { auths: [] }, { AUTHS: {} }) },
);

/** Of the hosts above, and of others that begin alike. */
export const images = [
  "nginx",
  "org/app:1",
  "library/nginx",
  "docker.io/org/app",
  "index.docker.io/org/app",
  "registry-1.docker.io/org/app",
  "a.example/team/app:v1",
  "a.example/team",
  "a.example/team-b/app",
  "a.example/other",
  "a.example:5000/team/app",
  "b.a.example/team/app",
  "b.example/x",
  "localhost/x",
  "localhost:5000/team/x",
  "127.0.0.1:5000/team/x",
  `a.example/team/app@sha256:${"0".repeat(64)}`,
];
