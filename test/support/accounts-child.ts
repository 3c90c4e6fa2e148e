/**
 * A second process over the same data, for tests: reads one JSON command a line, answers one JSON line each.
 * `{"ask": header, "action", "repository"}` → the code of the decision, or "ok"; `{"write": n, "label"}` → makes n projects, each
 * acknowledged with a line of its own, then "done".
 */
import { createAccess } from "#access";
import { openCatalog } from "#catalog";
import { isAppError } from "#core";

const dir = process.argv[2] ?? "";
const catalog = await openCatalog({ dir });
const access = createAccess({ catalog });

const say = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

async function decide(header: string, action: "pull" | "push", repository: string): Promise<string> {
  try {
    const caller = await access.authenticate(header, "::1");
    access.authorize(caller, action, repository);
    return "ok";
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

async function write(count: number, label: string): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `${label}-${index}`;
      await catalog.write(["access"], () =>
        catalog.projects.create({ name, visibility: "private", description: "", createdAt: 1 }),
      );
      say(name);
    }),
  );
  say("done");
}

say("ready");
for await (const line of console) {
  const command: unknown = JSON.parse(line);
  if (typeof command !== "object" || command === null) throw new Error("not a command");
  if ("ask" in command && "repository" in command && "action" in command)
    say(
      await decide(
        String(command.ask),
        command.action === "push" ? "push" : "pull",
        String(command.repository),
      ),
    );
  else if ("write" in command && "label" in command)
    await write(Number(command.write), String(command.label));
}
await access.close();
await catalog.close();
