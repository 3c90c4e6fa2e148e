/** `npm run check`: types, lint, format, unused code and the house's own rules, all in one, first fault last on screen. */
const tasks: [name: string, command: string[]][] = [
  ["types", ["tsc", "--noEmit"]],
  ["lint", ["oxlint", "--type-aware", "--deny-warnings"]],
  ["format", ["biome", "check"]],
  ["unused", ["knip", "--no-progress"]],
  ["house", [process.execPath, "test", "test/architecture.test.ts"]],
];

const failed: string[] = [];
for (const [name, command] of tasks) {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) {
    console.log(`ok    ${name}`);
  } else {
    failed.push(name);
    console.log(`FAIL  ${name}\n${out}${err}`);
  }
}
if (failed.length > 0) {
  console.error(`error: check: ${failed.join(", ")} failed`);
  process.exit(1);
}
