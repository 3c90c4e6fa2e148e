import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { ConsumerLogin, MatchAnswer, Target } from "../contract.ts";
import { apptainer } from "./index.ts";

const target: Target = { home: "/home/u", user: "u", uid: 1000, env: {} };
const OWN = "/home/u/.apptainer/docker-config.json";
const CE = "/home/u/.singularity/docker-config.json";
const DOCKER = "/home/u/.docker/config.json";
const entry = (pair: string): object => ({ auth: Buffer.from(pair).toString("base64") });

function match(
  files: Record<string, object | string>,
  image: string,
  over: Partial<Target> = {},
): MatchAnswer {
  const bytes = Object.entries(files).map(
    ([path, content]) =>
      [path, Buffer.from(typeof content === "string" ? content : JSON.stringify(content))] as const,
  );
  return apptainer.match(new Map(bytes), image, { ...target, ...over });
}

function login(registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name: "l", registry, path: undefined, username: "u", secret: new Secret("word"), ...extra };
}

test("docker's file serves only while there is none of its own, even an empty object", () => {
  const docker = { auths: { "r.example": entry("docker:p") } };
  expect(match({ [DOCKER]: docker }, "r.example/x")).toMatchObject({
    match: { username: "docker", file: DOCKER },
  });
  expect(match({ [OWN]: {}, [DOCKER]: docker }, "r.example/x").kind).toBe("anonymous");
  expect(match({ [CE]: docker, [DOCKER]: docker }, "r.example/x", { version: "4.1.2" })).toMatchObject({
    match: { file: CE },
  });
  expect(match({ [DOCKER]: docker }, "r.example/x", { options: { program: "singularity" } }).kind).toBe(
    "anonymous",
  );
});

test("a new file says that it hides docker's; SingularityCE's hides nothing", () => {
  const warned = (over: Partial<Target>): number => {
    const [document] = apptainer.compile([login("r.example")], { ...target, ...over }).documents;
    if (document === undefined) throw new Error("no document");
    return apptainer.merge(undefined, document, new Set()).warnings.filter((each) => each.kind === "shadowed")
      .length;
  };
  expect([warned({}), warned({ options: { program: "singularity" } })]).toEqual([1, 0]);
});

test("a whole repository is looked up before its host, nothing in between", () => {
  const file = {
    auths: {
      "r.example": entry("host:p"),
      "r.example/team": entry("team:p"),
      "r.example/team/app": entry("app:p"),
    },
  };
  expect(match({ [OWN]: file }, "r.example/team/app")).toMatchObject({ match: { username: "app" } });
  expect(match({ [OWN]: file }, "r.example/team/other")).toMatchObject({ match: { username: "host" } });
  const hub = {
    auths: {
      "index.docker.io/library/nginx": entry("nginx:p"),
      "https://index.docker.io/v1/": entry("hub:p"),
    },
  };
  expect(match({ [OWN]: hub }, "nginx")).toMatchObject({ match: { username: "nginx" } });
  expect(match({ [OWN]: hub }, "alpine")).toMatchObject({ match: { username: "hub" } });
});

test.each([
  ["APPTAINER_DOCKER", "apptainer", true],
  ["DOCKER", "apptainer", true],
  ["SINGULARITY_DOCKER", "apptainer", true],
  ["SINGULARITY_DOCKER", "singularity", true],
  ["APPTAINER_DOCKER", "singularity", false],
])("%s_USERNAME overrules every file of %s: %p", (prefix, program, overrules) => {
  const over = {
    env: { [`${prefix}_USERNAME`]: " env ", [`${prefix}_PASSWORD`]: "p" },
    options: { program },
  };
  const files = {
    [OWN]: { auths: { "r.example": entry("file:p") } },
    [CE]: { auths: { "r.example": entry("file:p") } },
  };
  expect(match(files, "r.example/x", over)).toMatchObject({
    match: { username: overrules ? "env" : "file" },
  });
  const { warnings } = apptainer.compile([login("r.example")], { ...target, ...over });
  expect(warnings.filter((warning) => warning.kind === "shadowed")).toHaveLength(overrules ? 1 : 0);
});

test("variables name other files", () => {
  const path = (env: Record<string, string>, program = "apptainer") =>
    apptainer.files({ ...target, env, options: { program } });
  expect(path({ APPTAINER_CONFIGDIR: "/a" })).toEqual(["/a/docker-config.json", "/a/config.json"]);
  expect(path({ APPTAINER_AUTH_FILE: "/a.json" })).toEqual(["/a.json"]);
  expect(path({ SINGULARITY_CONFIGDIR: "/s" }, "singularity")).toEqual(["/s/docker-config.json"]);
  expect(path({ SINGULARITY_AUTHFILE: "/s.json" }, "singularity")).toEqual(["/s.json"]);
  expect(path({ DOCKER_CONFIG: "/d" })).toEqual([OWN, DOCKER]);
});

test("a file that does not parse is passed over in silence by the program, so it is broken here", () => {
  expect(match({ [OWN]: "{" }, "r.example/x")).toMatchObject({
    kind: "broken",
    why: expect.stringContaining("without a login"),
  });
});

test("a CA cannot be given to it: root has to", () => {
  const { warnings } = apptainer.compile([login("r.example", { ca: "pem" })], target);
  expect(warnings).toMatchObject([
    { kind: "danger", hint: expect.stringContaining("update-ca-certificates") },
  ]);
});
