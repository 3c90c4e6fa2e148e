import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { type AccountsFixture, createAccountsFixture } from "../../test/support/accounts.ts";
import type { Page } from "./page.ts";

let fixture: AccountsFixture;
beforeEach(async () => {
  fixture = await createAccountsFixture();
});
afterEach(() => fixture.close());

/** All pages of a list, joined. */
function walk<T>(list: (after: string | undefined) => Page<T>): T[] {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = list(after);
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

test("pages of any size show every row once, in order", async () => {
  const { catalog } = fixture;
  const name = fc.stringMatching(/^[a-z0-9](?:[a-z0-9._-]{0,10}[a-z0-9])?$/);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (names, limit) => {
        await Promise.all(names.map((one) => fixture.user(one)));
        const seen = walk((after) => catalog.users.list({ after, limit })).map((user) => user.name);
        expect(seen).toEqual([...names].sort());
        await catalog.write(["access"], () => {
          for (const one of names) catalog.users.remove(catalog.users.find(one)?.id ?? 0);
        });
      },
    ),
    { seed: 3, numRuns: 30 },
  );
});

test("a project takes members and robots along, an account its tokens, and no id comes back", async () => {
  const { catalog } = fixture;
  const project = await fixture.project("team-a");
  const alice = await fixture.user("alice", { roles: { "team-a": "owner" } });
  const robot = await fixture.robot({ name: "ci", project: "team-a" });
  const site = await fixture.robot({ name: "node", pullsFrom: ["team-a"] });
  const token = await fixture.token(robot);
  await catalog.write(["access"], () => catalog.projects.remove(project.id));
  expect(catalog.tokens.proofById(token.id)).toBeUndefined();
  expect(catalog.tokens.account(robot)).toBeUndefined();
  expect(catalog.robots.pullsFrom(site)).toEqual([]);
  expect(catalog.members.find(project.id, alice)).toBeUndefined();
  const again = await fixture.project("team-a");
  expect(again.id).toBeGreaterThan(project.id);
  await catalog.write(["access"], () => catalog.users.remove(alice));
  expect(await fixture.user("alice")).toBeGreaterThan(site);
});

test("names are one space for users and robots, tokens' names one for each account in force", async () => {
  const { catalog, clock } = fixture;
  await fixture.robot({ name: "node" });
  await expect(fixture.user("robot-node")).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  await expect(fixture.robot({ name: "node" })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  const alice = await fixture.user("alice");
  const make = (name: string, byte: number): Promise<number> =>
    catalog.write(["access"], () => {
      const hash = new Uint8Array(32).fill(byte);
      const token = { accountId: alice, name, hash, createdAt: clock.now(), expiresAt: undefined };
      return catalog.tokens.create(token).id;
    });
  const first = await make("laptop", 1);
  await expect(make("laptop", 2)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  await catalog.write(["access"], () => catalog.tokens.revoke(alice, first, clock.now()));
  const second = await make("laptop", 3);
  const other = await make("desk", 4);
  await expect(
    catalog.write(["access"], () => catalog.tokens.rename(alice, other, "laptop")),
  ).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  expect(catalog.tokens.countActive(alice)).toBe(2);
  expect(catalog.tokens.proofByHash(new Uint8Array(32).fill(3))?.tokenId).toBe(second);
  // Through another account the id is nothing.
  expect(catalog.tokens.find(alice + 1, second)).toBeUndefined();
  expect(await catalog.write(["access"], () => catalog.tokens.revoke(alice + 1, second, 1))).toBe(false);
});

test("a password's stamp grows even when the clock goes back", async () => {
  const { catalog } = fixture;
  const alice = await fixture.user("alice");
  const before = catalog.tokens.account(alice)?.passwordChangedAt ?? 0;
  await catalog.write(["access"], () => catalog.users.setPassword(alice, "hash", before - 1_000));
  expect(catalog.tokens.account(alice)?.passwordChangedAt).toBe(before + 1);
});

test("the list of projects is what an account may see", async () => {
  const { catalog } = fixture;
  for (const [name, visibility] of [
    ["a", "private"],
    ["b", "public"],
    ["c", "private"],
    ["d", "private"],
  ] as const)
    await fixture.project(name, visibility);
  const alice = await fixture.user("alice", { roles: { a: "guest" } });
  const robot = await fixture.robot({ name: "ci", project: "c" });
  const node = await fixture.robot({ name: "node", pullsFrom: ["d"] });
  const names = (visibleTo: Parameters<typeof catalog.projects.list>[1]): string =>
    walk((after) => catalog.projects.list({ after, limit: 1 }, visibleTo))
      .map((project) => project.name)
      .join("");
  expect([names("all"), names("everybody"), names({ accountId: 0 })]).toEqual(["abcd", "b", "b"]);
  expect([alice, robot, node].map((accountId) => names({ accountId }))).toEqual(["ab", "bc", "bd"]);
});
