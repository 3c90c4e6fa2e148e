import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { quoteShell } from "#core";
import { needs, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { renderEnvironment } from "./render-environment.ts";
import { renderRunscript } from "./render-runscript.ts";
import { environmentScripts } from "./runtime-scripts.ts";

const scratch = createScratch("sif-scripts");
afterAll(() => {
  scratch.remove();
});

/** dash is what /bin/sh is on Debian; busybox has Alpine's; gosh is the shell that the runtimes have in themselves. */
const shells = ["dash", "bash", "busybox", "gosh"] as const;

function shellProgram(shell: string): readonly string[] {
  return shell === "busybox" ? [programPath(shell), "sh"] : [programPath(shell)];
}

/** gosh takes a script's arguments in its text alone. */
function shellCommand(shell: string, script: string, words: readonly string[]): readonly string[] {
  if (shell !== "gosh") return [...shellProgram(shell), script, ...words];
  return [...shellProgram(shell), "-c", `set -- ${words.map(quoteShell).join(" ")}; . ${quoteShell(script)}`];
}
/** What quoting gets wrong. */
const awkward = [
  "plain",
  "",
  " two  words ",
  "it's",
  '"quoted"',
  "$HOME ${PATH} $(id) `id`",
  "\\ \\\\ \\n \\'",
  "line\nbreak\n",
  "*?[a]{b,c}~",
  "-n",
  "--",
  "}';\"",
  "ünï→\u{1f600}",
  "!history #comment & ; | <>",
  "'\"'\"'",
];

for (const shell of shells) {
  needs(shell)(`${shell}: every variable of an image arrives byte for byte`, async () => {
    const pairs = awkward.map((value, index) => `V${index}=${value}`);
    const script = scratch.at(`env-${shell}.sh`);
    writeFileSync(
      script,
      renderEnvironment(["PATH=/image/bin:/$x", ...pairs, "BAD-NAME=1", "1A=2", "A B=3", "=4"]),
    );
    const out = await mustRun([...shellProgram(shell), "-c", `. ${script}; exec /usr/bin/env -0`], {
      env: { PATH: "/usr/bin:/bin" },
    });
    const seen = new Map(
      out.split("\0").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    for (const [index, value] of awkward.entries()) expect(seen.get(`V${index}`)).toBe(value);
    expect(seen.get("PATH")).toBe("/image/bin:/$x");
    for (const name of ["BAD-NAME", "1A", "A B"]) expect(seen.has(name)).toBe(false);
  });

  needs(shell)(
    `${shell}: what the user has set stays, read-only names end nothing, a name alone is handed on`,
    async () => {
      const script = scratch.at(`given-${shell}.sh`);
      writeFileSync(
        script,
        renderEnvironment(["SET=image", "UID=12", "EMPTY=image", "ALONE", "UNSET", "LAST=here"]),
      );
      const out = await mustRun(
        [
          ...shellProgram(shell),
          "-c",
          `set -e; . ${script}; printf '%s|' "$SET" "$EMPTY" "$ALONE" "\${UNSET-none}" "$LAST"`,
        ],
        { env: { SET: "user", EMPTY: "", ALONE: "from outside" } },
      );
      expect(out).toBe("user|image|from outside||here|");
    },
  );

  needs(shell)(`${shell}: ENTRYPOINT, CMD and arguments in every combination`, async () => {
    const folder = scratch.at(`an "odd" $folder's ${shell}`);
    mkdirSync(folder);
    const program = `${folder}/-entry point`;
    writeFileSync(program, '#!/bin/sh\nprintf "%s\\0" "$0" "$@"\n', { mode: 0o755 });
    const run = async (
      entrypoint: readonly string[] | undefined,
      command: readonly string[] | undefined,
      words: readonly string[],
    ): Promise<string[]> => {
      const script = scratch.at(`run-${shell}`);
      writeFileSync(script, renderRunscript({ entrypoint, command }));
      const out = await mustRun(shellCommand(shell, script, words), { env: { PATH: "/usr/bin:/bin" } });
      return out.split("\0").slice(0, -1);
    };
    const some = awkward.slice(3, 8);
    expect(await run([program, ...awkward], undefined, [])).toEqual([program, ...awkward]);
    expect(await run([program, "a"], undefined, awkward)).toEqual([program, "a", ...awkward]);
    expect(await run(undefined, [program, ...awkward], [])).toEqual([program, ...awkward]);
    expect(await run(undefined, ["/no/such", "b"], [program, ...awkward])).toEqual([program, ...awkward]);
    expect(await run([program, ...some], awkward, [])).toEqual([program, ...some, ...awkward]);
    expect(await run([program, ...some], ["never"], awkward)).toEqual([program, ...some, ...awkward]);
    expect(await run([program], [], [""])).toEqual([program, ""]);
    expect(await run([], [], [program, "x"])).toEqual([program, "x"]);
  });

  needs(shell)(
    `${shell}: an image with no command runs a shell; the library path of the runtime comes last`,
    async () => {
      const script = scratch.at(`none-${shell}`);
      writeFileSync(script, renderRunscript({ entrypoint: undefined, command: [] }));
      expect(await mustRun(shellCommand(shell, script, []), { input: "echo in a shell" })).toBe(
        "in a shell\n",
      );
      const base = scratch.at(`base-${shell}`);
      writeFileSync(base, environmentScripts["99-base.sh"]);
      for (const [before, after] of [
        [{}, "/.singularity.d/libs"],
        [{ LD_LIBRARY_PATH: "/own" }, "/own:/.singularity.d/libs"],
      ] as const)
        expect(
          await mustRun([...shellProgram(shell), "-c", `. ${base}; printf %s "$LD_LIBRARY_PATH"`], {
            env: before,
          }),
        ).toBe(after);
    },
  );
}

test("the line that runtimes look for stands alone, at the start, and short enough for them", () => {
  for (const command of [undefined, ["x"], ["eval"]]) {
    const lines = renderRunscript({ entrypoint: ["a"], command }).split("\n");
    expect(lines.filter((line) => line === 'eval "set ${SINGULARITY_OCI_RUN}"')).toHaveLength(1);
  }
});
