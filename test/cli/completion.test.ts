/** The completion scripts, run by the shells they are for. */
import { expect, test } from "bun:test";
import { consumers } from "#consumers";
import { needs, programPath } from "../support/programs.ts";
import { runCli } from "../support/run-cli.ts";

async function script(shell: string): Promise<string> {
  const { out, code } = await runCli(["completion", shell]);
  expect(code).toBe(0);
  return out;
}

async function shellOut(shell: string, args: readonly string[], text: string): Promise<string> {
  const child = Bun.spawn([programPath(shell), ...args], {
    stdin: Buffer.from(text),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect({ err, code }).toEqual({ err: "", code: 0 });
  return out;
}

/** What bash offers after these words; the last one is being typed. */
async function bashOffers(words: readonly string[]): Promise<readonly string[]> {
  const list = words.map((word) => `'${word}'`).join(" ");
  const text = `${await script("bash")}\nCOMP_WORDS=(wharf ${list}); COMP_CWORD=${words.length}; _wharf; printf '%s\\n' "\${COMPREPLY[@]}"\n`;
  return (await shellOut("bash", ["--norc"], text)).trim().split("\n");
}

needs("bash")("bash completes commands, options and choices", async () => {
  expect(await bashOffers(["comp"])).toEqual(["completion"]);
  expect(await bashOffers([""])).toContain("version");
  expect(await bashOffers(["--json", "vers"])).toEqual(["version"]);
  expect(await bashOffers(["version", "--js"])).toEqual(["--json"]);
  expect(await bashOffers(["completion", "f"])).toEqual(["fish"]);
  expect(await bashOffers(["serve", "--metrics", "e"])).toEqual(["everybody"]);
  // The value of an option is no command.
  expect(await bashOffers(["-c", "version", "comp"])).toEqual(["completion"]);
});

needs("zsh")("zsh completes commands", async () => {
  // Real completion needs a person at a keyboard: what the script would offer is printed instead.
  const text = `compdef() { :; }; compadd() { print -rl -- $choices; }; _files() { print files; }
_describe() { print -rl -- \${(P)2}; }
${await script("zsh")}
words=(wharf comp); CURRENT=2; _wharf; words=(wharf version --js); CURRENT=3; _wharf
`;
  const offers = (await shellOut("zsh", ["-f"], text)).split("\n");
  expect(offers.some((line) => line.startsWith("completion:"))).toBe(true);
  expect(offers.some((line) => line.startsWith("--json:"))).toBe(true);
});

needs("fish")("fish completes commands and options", async () => {
  const text = `${await script("fish")}\ncomplete -C 'wharf comp'; complete -C 'wharf version --js'\n`;
  const offers = (await shellOut("fish", ["--no-config"], text))
    .split("\n")
    .map((line) => line.split("\t")[0]);
  expect(offers).toContain("completion");
  expect(offers).toContain("--json");
});

test("a shell that is not known is a usage error", async () => {
  expect(await runCli(["completion", "csh"])).toMatchObject({ code: 2, out: "" });
});

test("every consumer can be completed", async () => {
  const { code, out } = await runCli(["render", "--help"]);
  expect(code).toBe(0);
  // The list is longer than a line.
  expect(out.replace(/\s+/g, " ")).toContain(
    `one of: ${consumers.map((consumer) => consumer.name).join(", ")}`,
  );
});
