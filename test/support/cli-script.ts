/**
 * Text scripts of the command line (test/cli/*.txt): commands, what they print, and the files they are about.
 *
 *     # a comment
 *     @server team            a registry with a private project; [REGISTRY] is its address
 *     @robot team ci          a robot of it that pulls and pushes; its secret in the file `ci.secret`
 *     > wharf.yaml            a file, up to the next blank line
 *     version: 1
 *
 *     $ wharf plan < FILE     a command; what it prints follows, standard error with `! ` before each line
 *     [3]                     its exit code, where it is not 0
 *     $ cat FILE              a file's content; `$ ls DIR` its modes and names
 *
 * `[..]` in an expected line stands for anything. `[HOME]` is the folder of the script: home and current folder of every command.
 * `[TIME]` is any time of day; columns stand two spaces apart, for their width depends on what is not the same twice.
 * UPDATE_SCRIPTS=1 writes what was printed into the script, for people to review.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runCli } from "./run-cli.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

/** Runs a script and gives it again with what was really printed; equal to the script when all is well. */
export async function runCliScript(script: string): Promise<string> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "wharf-script-")));
  const stage: Stage = { home, server: undefined };
  try {
    return await play(stage, script.split("\n"));
  } finally {
    await stage.server?.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

interface Stage {
  readonly home: string;
  server: TestServer | undefined;
}

async function play(stage: Stage, lines: readonly string[]): Promise<string> {
  const played: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    played.push(line);
    if (line.startsWith("@")) {
      await direct(stage, line.slice(1).split(" "));
    } else if (line.startsWith("> ")) {
      const end = lines.indexOf("", index);
      const content = lines.slice(index + 1, end === -1 ? undefined : end);
      const path = join(stage.home, line.slice(2).trim());
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${content.map((text) => fill(stage, text)).join("\n")}\n`, { mode: 0o600 });
      played.push(...content);
      index += content.length;
    } else if (line.startsWith("$ ")) {
      const printed = await perform(stage, fill(stage, line.slice(2)));
      let expected = 0;
      while (index + 1 < lines.length && !isNext(lines, index + 1)) {
        index++;
        const text = printed[expected] ?? "";
        played.push(matches(lines[index] ?? "", text) ? (lines[index] ?? "") : text);
        expected++;
        if (expected >= printed.length && !isNext(lines, index + 1)) {
          while (!isNext(lines, index + 1)) index++;
          break;
        }
      }
      played.push(...printed.slice(expected));
    }
  }
  return played.join("\n");
}

/** Output ends where a blank line is followed by a command, a file, a comment or a directive, or by nothing. */
function isNext(lines: readonly string[], at: number): boolean {
  const line = lines[at];
  if (line === undefined || /^(?:\$ |@|> )/.test(line)) return true;
  return line === "" && (lines[at + 1] === undefined || /^(?:\$ |@|> |# |$)/.test(lines[at + 1] ?? ""));
}

async function direct(stage: Stage, [word = "", ...args]: readonly string[]): Promise<void> {
  if (word === "server") {
    stage.server = await startTestServer();
    for (const project of args) await stage.server.createProject(project);
  } else if (word === "robot" && stage.server !== undefined) {
    const [project = "", name = ""] = args;
    const robot = await stage.server.createRobot(project, name);
    writeFileSync(join(stage.home, `${name}.secret`), robot.secret, { mode: 0o600 });
  } else throw new Error(`the script has no directive @${word} here`);
}

/** Runs one command line and gives the lines that it printed. */
async function perform(stage: Stage, command: string): Promise<readonly string[]> {
  const words = command.split(" ").map((word) => word.replace(/^'(.*)'$/, "$1"));
  const [program = "", ...rest] = words;
  if (program === "cat") return show(stage, readFileSync(join(stage.home, rest[0] ?? ""), "utf8"));
  if (program === "ls") return show(stage, listFolder(join(stage.home, rest[0] ?? "")));
  if (program !== "wharf") throw new Error(`a script runs wharf, cat and ls, not ${program}`);
  const at = rest.indexOf("<");
  const input = at === -1 ? "" : readFileSync(join(stage.home, rest[at + 1] ?? ""), "utf8");
  const { code, out, err } = await runCli(at === -1 ? rest : rest.slice(0, at), {
    cwd: stage.home,
    env: { HOME: stage.home, PATH: join(stage.home, "bin"), XDG_RUNTIME_DIR: join(stage.home, "run") },
    input,
  });
  const errors = show(stage, err).map((line) => `! ${line}`.trimEnd());
  return [...errors, ...show(stage, out), ...(code === 0 ? [] : [`[${code}]`])];
}

function listFolder(folder: string): string {
  return readdirSync(folder)
    .sort()
    .map((name) => `${(statSync(join(folder, name)).mode & 0o7777).toString(8).padStart(4, "0")} ${name}\n`)
    .join("");
}

function show(stage: Stage, text: string): readonly string[] {
  if (text === "") return [];
  const { home, server } = stage;
  const plain = server === undefined ? text : text.replaceAll(server.address, "[REGISTRY]");
  return plain
    .replaceAll(home, "[HOME]")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "[TIME]")
    .replace(/(?<=\S) {2,}/g, "  ")
    .replace(/\n$/, "")
    .split("\n");
}

function fill(stage: Stage, text: string): string {
  return text
    .replaceAll("[HOME]", stage.home)
    .replaceAll("[REGISTRY]", stage.server?.address ?? "[REGISTRY]");
}

function matches(expected: string, text: string): boolean {
  if (!expected.includes("[..]")) return expected === text;
  const parts = expected.split("[..]");
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === 0 ? (text.startsWith(part) ? 0 : -1) : text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  const last = parts.at(-1) ?? "";
  return text.endsWith(last);
}
