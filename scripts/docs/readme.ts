import { runCommandLine } from "#cli";
import { silentLogger } from "#core";
import type { Terminal } from "#system";

const BEGIN = "<!-- demo: made by `npm run docs` from what `wharf demo` prints -->";
const END = "<!-- /demo -->";

/** README.md with the demo's own words as its picture. */
export async function renderReadme(readme: string): Promise<string> {
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error("README.md has no place for the demo");
  return `${before}${BEGIN}\n\`\`\`text\n${await playDemo()}\`\`\`\n${END}${after}`;
}

/** What `wharf demo` prints, with the port and the times that are other ones at every run made the same. */
async function playDemo(): Promise<string> {
  let out = "";
  let err = "";
  const refuse = (): never => {
    throw new Error("the demo asks nothing");
  };
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outBytes: refuse,
    isOutTerminal: false,
    isErrTerminal: false,
    isInTerminal: false,
    color: false,
    readIn: refuse,
    ask: refuse,
    confirm: refuse,
  };
  const context = { signal: new AbortController().signal, log: silentLogger };
  // No programs on PATH: what the demo says must not depend on this machine's.
  const env = { PATH: "/nonexistent" };
  const code = await runCommandLine({ args: ["demo"], terminal, context, env, cwd: "/" });
  if (code !== 0) throw new Error(`wharf demo ended with ${code}: ${err}`);
  // Starting the registry and making a project are the README's own words.
  return `${out
    .slice(out.indexOf("\n3. "))
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:45000")
    .replaceAll(/\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?/g, "2027-11-22")
    .trim()}\n`;
}
