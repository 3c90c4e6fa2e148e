import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { type AccountsFixture, basic, createAccountsFixture } from "../../test/support/accounts.ts";
import type { Caller, ProjectPermission, RepositoryAction } from "./contract.ts";

/** Who calls, in the words of the reference table below. */
const KINDS = [
  "anonymous",
  "stranger",
  "guest",
  "developer",
  "maintainer",
  "owner",
  "admin",
  "robot reading",
  "robot writing",
  "robot deleting",
  "robot of another project",
  "site robot",
  "site robot elsewhere",
] as const;
type Kind = (typeof KINDS)[number];

const ACTIONS: readonly RepositoryAction[] = ["pull", "push", "delete"];
const WHERE = ["private", "public", "missing"] as const;

/** The rules once more, as plainly as can be: who may do what in a private project. */
const MAY: Readonly<Record<Kind, string>> = {
  anonymous: "",
  stranger: "",
  guest: "pull",
  developer: "pull push",
  maintainer: "pull push delete",
  owner: "pull push delete",
  admin: "pull push delete",
  "robot reading": "pull",
  "robot writing": "pull push",
  "robot deleting": "pull push delete",
  "robot of another project": "",
  "site robot": "pull",
  "site robot elsewhere": "",
};

const MANAGE: Readonly<Record<ProjectPermission, readonly Kind[]>> = {
  view: [
    "guest",
    "developer",
    "maintainer",
    "owner",
    "admin",
    "robot reading",
    "robot writing",
    "robot deleting",
    "site robot",
  ],
  "members-view": ["guest", "developer", "maintainer", "owner", "admin"],
  robots: ["developer", "maintainer", "owner", "admin"],
  members: ["maintainer", "owner", "admin"],
  "robots-writing": ["maintainer", "owner", "admin"],
  describe: ["maintainer", "owner", "admin"],
  owners: ["owner", "admin"],
  visibility: ["owner", "admin"],
  delete: ["owner", "admin"],
};

function expected(
  kind: Kind,
  action: RepositoryAction,
  where: (typeof WHERE)[number],
  granted: boolean,
): string {
  const rights = MAY[kind].split(" ").includes(action);
  if (where === "public" && action === "pull") return "ok";
  if (where !== "missing" && rights) return granted ? "ok" : "INSUFFICIENT_SCOPE";
  if (kind === "anonymous") return "UNAUTHORIZED";
  if (where === "missing") return "PROJECT_UNKNOWN";
  const isStranger = MAY[kind] === "";
  return where === "private" && isStranger ? "PROJECT_UNKNOWN" : "DENIED";
}

let fixture: AccountsFixture;
const callers = new Map<Kind, Caller>();

beforeAll(async () => {
  fixture = await createAccountsFixture();
  for (const visibility of ["private", "public"] as const) await fixture.project(visibility, visibility);
  await fixture.project("elsewhere");
  const everywhere = (role: "guest" | "developer" | "maintainer" | "owner") => ({
    roles: { private: role, public: role },
  });
  const accounts: Readonly<Record<string, [string, number]>> = {
    stranger: ["stranger", await fixture.user("stranger")],
    guest: ["guest", await fixture.user("guest", everywhere("guest"))],
    developer: ["developer", await fixture.user("developer", everywhere("developer"))],
    maintainer: ["maintainer", await fixture.user("maintainer", everywhere("maintainer"))],
    owner: ["owner", await fixture.user("owner", everywhere("owner"))],
    admin: ["root", await fixture.user("root", { admin: true })],
    "site robot": ["robot-node", await fixture.robot({ name: "node", pullsFrom: ["private", "public"] })],
    "site robot elsewhere": ["robot-far", await fixture.robot({ name: "far", pullsFrom: ["elsewhere"] })],
  };
  for (const [kind, [name, id]] of Object.entries(accounts))
    callers.set(
      kind as Kind,
      await fixture.access.authenticate(basic(name, (await fixture.token(id)).secret), "::1"),
    );
  callers.set("anonymous", await fixture.access.authenticate(undefined, "::1"));
});
afterAll(() => fixture.close());

/** Robots belong to one project, so there is one of each kind in each. */
async function callerOf(kind: Kind, where: string): Promise<Caller> {
  const found = callers.get(kind);
  if (found !== undefined) return found;
  const project = kind === "robot of another project" || where === "missing" ? "elsewhere" : where;
  const canPush = kind === "robot writing" || kind === "robot deleting";
  const canDelete = kind === "robot deleting";
  const name = `r${crypto.randomUUID()}`;
  const id = await fixture.robot({ name, project, canPush, canDelete });
  const { secret } = await fixture.token(id);
  return fixture.access.authenticate(basic(`robot-${project}-${name}`, secret), "::1");
}

function outcome(work: () => unknown): string {
  try {
    work();
    return "ok";
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

test("every caller, action and visibility decides as the table says, with and without a Bearer limit", async () => {
  const wrong: string[] = [];
  for (const kind of KINDS)
    for (const where of WHERE) {
      const caller = await callerOf(kind, where);
      const repository = `${where}/app`;
      for (const action of ACTIONS)
        for (const grant of ["none", "covering", "other repository", "other action"] as const) {
          const rest = new Set(ACTIONS.filter((other) => other !== action));
          const grants = {
            none: undefined,
            covering: new Map([[repository, new Set([action])]]),
            "other repository": new Map([[`${where}/other`, new Set([action])]]),
            "other action": new Map([[repository, rest]]),
          }[grant];
          const limited: Caller = { ...caller, grants };
          const want = expected(kind, action, where, grant === "none" || grant === "covering");
          const got = outcome(() => fixture.access.authorize(limited, action, repository));
          if (got !== want) wrong.push(`${kind} ${action} ${where} ${grant}: ${got}, not ${want}`);
          const allowed = fixture.access.allows(limited, action, repository);
          if (allowed !== (want === "ok"))
            wrong.push(`${kind} ${action} ${where} ${grant}: allows ${allowed}`);
        }
    }
  expect(wrong).toEqual([]);
});

test("every caller and permission of a project decides as the table says; robots and Bearer tokens manage nothing", async () => {
  const wrong: string[] = [];
  for (const kind of KINDS)
    for (const where of WHERE) {
      const caller = await callerOf(kind, where);
      for (const permission of Object.keys(MANAGE) as ProjectPermission[]) {
        const may =
          where !== "missing" &&
          (MANAGE[permission].includes(kind) || (permission === "view" && where === "public"));
        const got = outcome(() => fixture.access.authorizeProject(caller, permission, where));
        if ((got === "ok") !== may) wrong.push(`${kind} ${permission} ${where}: ${got}`);
        if (fixture.access.allowsProject(caller, permission, where) !== may)
          wrong.push(`${kind} ${permission} ${where}: allowsProject`);
        const bearer = { ...caller, grants: new Map() };
        if (outcome(() => fixture.access.authorizeProject(bearer, permission, where)) === "ok")
          wrong.push(`${kind} ${permission} ${where}: by Bearer`);
      }
    }
  expect(wrong).toEqual([]);
});

test("a missing project and an invisible one are refused in the same words", async () => {
  const caller = callers.get("stranger");
  if (caller === undefined) throw new Error("no stranger");
  const words = (project: string): unknown => {
    try {
      fixture.access.authorize(caller, "pull", `${project}/app`);
    } catch (error) {
      if (isAppError(error))
        return JSON.stringify([error.code, error.message, error.hint]).replaceAll(project, "P");
    }
    return "was let in";
  };
  expect(words("private")).toBe(words("missing"));
  expect(words("private")).toContain("wharf project create P");
});

test("what is minted is what is asked and allowed, for any scopes", async () => {
  const action = fc.constantFrom("pull", "push", "delete", "*", "admin", "");
  const scope = fc.record({
    type: fc.constantFrom("repository" as const, "registry" as const),
    name: fc.constantFrom(
      "private/app",
      "public/app",
      "missing/app",
      "elsewhere/app",
      "catalog",
      "",
      "/",
      "private",
    ),
    actions: fc.array(action, { maxLength: 4 }),
  });
  const kinds = fc.constantFrom(...([...callers.keys()] as Kind[]));
  await fc.assert(
    fc.asyncProperty(kinds, fc.array(scope, { maxLength: 6 }), async (kind, scopes) => {
      const caller = await callerOf(kind, "private");
      const minted = await fixture.access.mint(caller, scopes);
      const holder = await fixture.access.authenticate(`Bearer ${minted.token}`, "::1");
      for (const [repository, actions] of holder.grants ?? [])
        for (const granted of actions) {
          expect(fixture.access.allows(caller, granted, repository)).toBe(true);
          expect(
            scopes.some(
              ({ type, name, actions: asked }) =>
                type === "repository" &&
                name === repository &&
                (asked.includes(granted) || asked.includes("*")),
            ),
          ).toBe(true);
        }
      for (const { type, name, actions: asked } of scopes)
        for (const one of ACTIONS)
          if (type === "repository" && asked.includes(one) && fixture.access.allows(caller, one, name))
            expect(holder.grants?.get(name)?.has(one)).toBe(true);
      expect(holder.principal).toEqual(caller.principal);
    }),
    { seed: 3, numRuns: 150 },
  );
});

test("the catalog shows exactly what may be pulled, to known callers with the scope", async () => {
  const { access, catalog } = fixture;
  const repositories = ["elsewhere/a", "private/a", "private/b", "public/a"];
  for (const name of repositories) {
    const body = new TextEncoder().encode("{}");
    const digest = `sha256:${"0".repeat(64)}`;
    const rest = { artifactType: undefined, subject: undefined, annotations: {}, references: [] };
    await catalog.content.putManifest(name, { digest, mediaType: "application/json", body, ...rest }, []);
  }
  for (const kind of KINDS) {
    if (kind === "anonymous") continue;
    const caller = await callerOf(kind, "private");
    const shown = await catalog.content.listRepositories(
      { after: undefined, limit: 100 },
      access.catalogView(caller),
    );
    expect([kind, ...shown]).toEqual([
      kind,
      ...repositories.filter((name) => access.allows(caller, "pull", name)),
    ]);
  }
  const [anonymous, guest] = [callers.get("anonymous"), callers.get("guest")];
  expect(outcome(() => anonymous && access.catalogView(anonymous))).toBe("UNAUTHORIZED");
  const limited = guest && { ...guest, grants: new Map(), catalog: false };
  expect(outcome(() => limited && access.catalogView(limited))).toBe("INSUFFICIENT_SCOPE");
});
