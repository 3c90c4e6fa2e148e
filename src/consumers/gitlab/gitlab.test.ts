import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { ConsumerLogin, Target } from "../contract.ts";
import { gitlab } from "./index.ts";

const target: Target = { home: "/home/u", user: "u", uid: 1000, env: {} };
const FILE = "/home/u/DOCKER_AUTH_CONFIG.json";
const entry = (pair: string): object => ({ auth: Buffer.from(pair).toString("base64") });

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function userOf(value: object, image: string): string {
  const answer = gitlab.match(new Map([[FILE, Buffer.from(JSON.stringify(value))]]), image, target);
  return answer.kind === "login" ? answer.match.username : answer.kind;
}

const keys = (...names: string[]): object => ({
  auths: Object.fromEntries(names.map((name) => [name, entry(`${name.replace(/[:/]/g, "_")}:p`)])),
});

// helpers/docker/auth of GitLab Runner.
test.each([
  ["the host", keys("r.example"), "r.example/team/x", "r.example"],
  ["with its port", keys("r.example:5000"), "r.example:5000/x", "r.example_5000"],
  ["the longest path", keys("r.example", "r.example/team"), "r.example/team/x", "r.example_team"],
  ["segment by segment", keys("r.example/te"), "r.example/team/x", "anonymous"],
  ["the repository itself", keys("r.example/team/x"), "r.example/team/x:1", "r.example_team_x"],
  ["a URL is its host", keys("https://r.example/v2/"), "r.example/x", "https___r.example_v2_"],
  ["a slash at the end", keys("r.example/team/"), "r.example/team/x", "r.example_team_"],
  ["capitals in the host", keys("R.Example/Team"), "r.example/x", "anonymous"],
  ["Hub's old name as a URL", keys("https://index.docker.io/v1/"), "nginx", "https___index.docker.io_v1_"],
  ["Hub's name", keys("docker.io"), "nginx", "docker.io"],
  ["Hub's old name bare is another host", keys("index.docker.io"), "nginx", "anonymous"],
  ["two spellings of one: at random", keys("docker.io", "https://index.docker.io/v1/"), "nginx", "broken"],
  [
    "an entry that cannot be decoded voids all",
    { auths: { a: { auth: "!" }, "r.example": entry("u:p") } },
    "r.example/x",
    "broken",
  ],
  [
    "a helper is run by the runner",
    { credHelpers: { a: "x" }, auths: { "r.example": entry("u:p") } },
    "r.example/x",
    "broken",
  ],
])("the runner's look-up: %s", (_name, value, image, expected) => {
  expect(userOf(value, image)).toBe(expected);
});

test("Hub under the key that every docker knows, paths beside each other, no identity tokens", () => {
  const { documents, refusals } = gitlab.compile(
    [
      login("hub", "docker.io"),
      login("a", "r.example", { path: "team" }),
      login("b", "r.example"),
      login("z", "z.azurecr.io", { identityToken: true }),
    ],
    target,
  );
  expect(documents[0]?.entries.map(({ key }) => key)).toEqual([
    "https://index.docker.io/v1/",
    "r.example/team",
    "r.example",
  ]);
  expect(refusals.map((refusal) => refusal.login)).toEqual(["z"]);
});

test("another spelling of somebody's is said, since chance decides then", () => {
  const [document] = gitlab.compile([login("hub", "docker.io")], target).documents;
  if (document === undefined) throw new Error("no document");
  const merged = gitlab.merge(Buffer.from(JSON.stringify(keys("docker.io"))), document, new Set());
  expect(merged.warnings).toMatchObject([{ kind: "shadowed", login: "hub" }]);
});
