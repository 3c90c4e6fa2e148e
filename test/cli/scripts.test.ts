/** Plays the text scripts of this folder: see test/support/cli-script.ts. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCliScript } from "../support/cli-script.ts";

for (const name of readdirSync(import.meta.dir).filter((file) => file.endsWith(".txt"))) {
  test(name, async () => {
    const path = join(import.meta.dir, name);
    const script = readFileSync(path, "utf8");
    const played = await runCliScript(script);
    if (process.env.UPDATE_SCRIPTS === "1") writeFileSync(path, played);
    else expect(played).toBe(script);
  });
}

test("a script whose output differs is not equal to what was played", async () => {
  const played = await runCliScript("$ wharf versoin\n! error: something else\n[2]\n");
  expect(played).toBe(
    "$ wharf versoin\n! error: there is no command 'wharf versoin'\n! hint: did you mean 'wharf version'?\n[2]\n",
  );
  const same =
    "$ wharf versoin\n! error: there is no command [..]\n! hint: [..]'wharf version'?\n[2]\n\n# end\n";
  expect(await runCliScript(same)).toBe(same);
});
