import { expect, test } from "bun:test";
import type { Caller, RepositoryAction } from "#access";
import { AppError } from "#core";
import { Permissions } from "./permissions.ts";

const caller = (id: number): Caller => ({
  principal: { kind: "user", id, name: "x", admin: false },
  tokenId: undefined,
  expiresAt: undefined,
  grants: undefined,
  catalog: true,
  passwordChangedAt: undefined,
});

function fixture() {
  const asked: string[] = [];
  let mark = 1;
  let refuses = false;
  const permissions = new Permissions(
    {
      authorize(who: Caller, action: RepositoryAction, repository: string) {
        asked.push(`${who.principal.kind === "user" ? who.principal.id : ""} ${action} ${repository}`);
        if (refuses) throw new AppError("DENIED", "no");
      },
    },
    { accessMark: () => mark },
  );
  return { asked, permissions, change: () => void mark++, refuse: () => (refuses = true) };
}

test("asked once for each caller, action and repository", () => {
  const { asked, permissions } = fixture();
  const [one, two] = [caller(1), caller(2)];
  for (let turn = 0; turn < 3; turn++) {
    permissions.authorize(one, "pull", "a/b");
    permissions.authorize(one, "push", "a/b");
    permissions.authorize(one, "pull", "a/c");
    permissions.authorize(two, "pull", "a/b");
  }
  expect(asked).toEqual(["1 pull a/b", "1 push a/b", "1 pull a/c", "2 pull a/b"]);
});

test("asked again after any change of access; a refusal is never remembered", () => {
  const { asked, permissions, change, refuse } = fixture();
  const one = caller(1);
  permissions.authorize(one, "pull", "a/b");
  refuse();
  permissions.authorize(one, "pull", "a/b");
  change();
  for (let turn = 0; turn < 2; turn++) expect(() => permissions.authorize(one, "pull", "a/b")).toThrow("no");
  expect(asked.length).toBe(3);
});

test("what is remembered of a caller is bounded", () => {
  const { asked, permissions } = fixture();
  const one = caller(1);
  for (let index = 0; index < 1001; index++) permissions.authorize(one, "pull", `a/r${index}`);
  permissions.authorize(one, "pull", "a/r1000");
  permissions.authorize(one, "pull", "a/r0");
  expect(asked.length).toBe(1002);
});
