import { expect, test } from "bun:test";
import { type Context, silentLogger } from "#core";
import { converse } from "#system";
import { HostSessions } from "./host-sessions.ts";
import type { RemoteCall } from "./program-text.ts";
import { RemoteSession } from "./session.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const limits = { timeoutMs: 30_000, maxBytes: 1_000_000 };
const env = { PATH: "/usr/bin:/bin", HOME: "/" };
const echo = (word: string): RemoteCall => ({ words: ["printf", "%s", word] });

/** Sessions with this machine's own shell in the place of a host's; counts those that run at once. */
function createHost() {
  const sessions = new HostSessions();
  const made: RemoteSession[] = [];
  let most = 0;
  const use = (user: string, word: string): Promise<readonly string[]> =>
    sessions.use(
      { user, sudo: false },
      () => {
        // The identity is only what sessions are told apart by.
        const session = new RemoteSession({ user: undefined, sudo: false }, limits, (command) =>
          converse({ argv: ["/bin/sh", "-c", command], env }),
        );
        made.push(session);
        return session;
      },
      async (session) => {
        const { answers } = await session.ask(context, [echo(word)]);
        most = Math.max(most, made.filter(({ isOpen }) => isOpen).length);
        return answers;
      },
    );
  return { use, made, most: () => most };
}

test("one identity has one program, which answers again and again, whatever bytes it is asked with", async () => {
  const host = createHost();
  const words = ["one", "two\nlines", "it's $HOME `id` \\n", "\u00c1\u0081\u0088 \t trailing  ", ""];
  for (const word of words) {
    const [answer] = await host.use("alice", word);
    expect(Buffer.from(answer ?? "", "latin1").toString("utf8")).toBe(word);
  }
  expect(host.made).toHaveLength(1);
  for (const session of host.made) session.close();
  await Promise.all(host.made.map(({ gone }) => gone));
});

test("many identities at once: each is answered, eight programs at most, and who waits takes the place of an idle one", async () => {
  const host = createHost();
  const users = Array.from({ length: 30 }, (_, index) => `user${index}`);
  const answers = await Promise.all(users.map((user) => host.use(user, user)));
  expect(answers).toEqual(users.map((user) => [user]));
  expect(host.most()).toBeLessThanOrEqual(8);
  // Again, while the last ones are idle.
  for (const user of users) expect(await host.use(user, user)).toEqual([user]);
  for (const session of host.made) session.close();
  await Promise.all(host.made.map(({ gone }) => gone));
});

test("a program that has ended is replaced at the next question; one that could not start leaves its room to others", async () => {
  const host = createHost();
  await host.use("alice", "x");
  host.made[0]?.close();
  expect(await host.use("alice", "y")).toEqual(["y"]);
  expect(host.made).toHaveLength(2);
  const sessions = new HostSessions();
  const broken = (): RemoteSession =>
    new RemoteSession({ user: undefined, sudo: false }, limits, () => {
      throw new Error("no such program");
    });
  for (let index = 0; index < 20; index++)
    expect(
      sessions.use({ user: `u${index}`, sudo: false }, broken, (session) =>
        session.ask(context, [echo("x")]),
      ),
    ).rejects.toThrow("no such program");
  for (const session of host.made) session.close();
  await Promise.all(host.made.map(({ gone }) => gone));
});

test("a file's content that is read in the place of a line is not done", async () => {
  const session = new RemoteSession({ user: undefined, sudo: false }, limits, (command) =>
    converse({ argv: ["/bin/sh", "-c", command], env }),
  );
  // `true` reads nothing of its input: the program then reads it as a line.
  const told = await session.ask(context, [
    { words: ["true"], input: new TextEncoder().encode("wharf printf done\nprintf done\n") },
    echo("after"),
  ]);
  expect([told.stage, told.answers]).toEqual(["begin", [""]]);
  await session.gone;
});
