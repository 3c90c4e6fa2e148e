/** Several processes over one data folder: what one changes, the others obey at their next request; what was acknowledged is there. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openCatalog } from "#catalog";
import { Secret } from "#core";
import { hashPassword } from "#system";
import { type AccountsFixture, basic, createAccountsFixture } from "./support/accounts.ts";

interface Child {
  tell(command: unknown): void;
  /** The next line that it said. */
  next(): Promise<string | undefined>;
  kill(): Promise<void>;
}

let fixture: AccountsFixture;
const children: Child[] = [];

beforeEach(async () => {
  fixture = await createAccountsFixture();
});
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await fixture.close();
});

async function startChild(): Promise<Child> {
  const script = join(import.meta.dir, "support/accounts-child.ts");
  const child = Bun.spawn([process.execPath, script, fixture.dir], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = readLines(child.stdout);
  const started: Child = {
    tell(command) {
      void child.stdin.write(`${JSON.stringify(command)}\n`);
      void child.stdin.flush();
    },
    async next() {
      const { value, done } = await lines.next();
      if (done === true) return undefined;
      const said: unknown = JSON.parse(value);
      return typeof said === "string" ? said : value;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
  children.push(started);
  expect(await started.next()).toBe("ready");
  return started;
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

test("a change is obeyed by another process at its next request: passwords, tokens and Bearer tokens", async () => {
  const { catalog, access } = fixture;
  // The child has the real clock.
  await fixture.project("team-a");
  const password = new Secret(`pw-${crypto.randomUUID()}`);
  const alice = await fixture.user("alice", { password, roles: { "team-a": "developer" } });
  const token = await fixture.token(alice);
  const child = await startChild();
  fixture.clock.forward(Date.now() - fixture.clock.now());
  const [byPassword, byToken] = [basic("alice", password), basic("alice", token.secret)];
  const bearerOf = async (header: string): Promise<string> => {
    const caller = await access.authenticate(header, "::1");
    const scope = { type: "repository", name: "team-a/app", actions: ["pull", "push"] } as const;
    return `Bearer ${(await access.mint(caller, [scope])).token}`;
  };
  const headers = [byPassword, byToken, await bearerOf(byPassword), await bearerOf(byToken)];
  const ask = async (): Promise<unknown[]> => {
    const answers: unknown[] = [];
    for (const header of headers) {
      child.tell({ ask: header, action: "push", repository: "team-a/app" });
      answers.push(await child.next());
    }
    return answers;
  };
  const all = (code: string): string[] => headers.map(() => code);
  const change = (work: () => void): Promise<void> => catalog.write(["access"], work);
  const project = catalog.projects.find("team-a")?.id ?? 0;

  // Twice, so that each is remembered before the change.
  expect([await ask(), await ask()]).toEqual([all("ok"), all("ok")]);
  await change(() => catalog.members.set(project, alice, "guest"));
  expect(await ask()).toEqual(all("DENIED"));
  await change(() => void catalog.members.remove(project, alice));
  expect(await ask()).toEqual(all("PROJECT_UNKNOWN"));
  await change(() => catalog.members.set(project, alice, "owner"));
  expect(await ask()).toEqual(all("ok"));
  await change(() => catalog.users.update(alice, { disabled: true }));
  expect(await ask()).toEqual(all("ACCOUNT_DISABLED"));
  await change(() => catalog.users.update(alice, { disabled: false }));
  expect(await ask()).toEqual(all("ok"));
  await change(() => void catalog.tokens.revoke(alice, token.id, fixture.clock.now()));
  expect(await ask()).toEqual(["ok", "CREDENTIAL_REVOKED", "ok", "CREDENTIAL_REVOKED"]);
  const hash = await hashPassword(new Secret(`pw-${crypto.randomUUID()}`));
  await change(() => catalog.users.setPassword(alice, hash, fixture.clock.now()));
  expect(await ask()).toEqual([
    "UNAUTHORIZED",
    "CREDENTIAL_REVOKED",
    "CREDENTIAL_REVOKED",
    "CREDENTIAL_REVOKED",
  ]);
  await change(() => catalog.users.remove(alice));
  expect(await ask()).toEqual(all("UNAUTHORIZED"));
}, 30_000);

test("three processes write at once: every write is done, once, and none is refused", async () => {
  const writers = [await startChild(), await startChild()];
  for (const [index, child] of writers.entries()) child.tell({ write: 300, label: `child${index}` });
  const own = Array.from({ length: 300 }, (_, index) => fixture.project(`own-${index}`));
  await Promise.all(own);
  for (const child of writers) {
    let said = 0;
    while ((await child.next()) !== "done") said++;
    expect(said).toBe(300);
  }
  const page = fixture.catalog.projects.list({ limit: 1000 }, "all");
  expect(page.items.length).toBe(900);
}, 30_000);

test("a process killed while it writes: what it acknowledged is there, and others go on", async () => {
  const child = await startChild();
  child.tell({ write: 5000, label: "killed" });
  const acknowledged: string[] = [];
  while (acknowledged.length < 600) acknowledged.push(String(await child.next()));
  await child.kill();
  for (let line = await child.next(); line !== undefined && line !== "done"; line = await child.next())
    acknowledged.push(line);
  await fixture.project("after");
  const reopened = await openCatalog({ dir: fixture.dir });
  const missing = acknowledged.filter((name) => reopened.projects.find(name) === undefined);
  expect(missing).toEqual([]);
  expect(acknowledged.length).toBeGreaterThanOrEqual(600);
  await reopened.close();
}, 30_000);
