/** `npm run build`: the single executable `dist/wharf`. `--outfile FILE` puts it elsewhere. */
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = join(import.meta.dir, "..");
const at = process.argv.indexOf("--outfile");
const outfile = resolve(at === -1 ? join(root, "dist/wharf") : (process.argv[at + 1] ?? "dist/wharf"));
const workers = [...new Bun.Glob("src/**/*.worker.ts").scanSync(root)].sort();

mkdirSync(dirname(outfile), { recursive: true });
const command = [
  process.execPath,
  "build",
  "--compile",
  "--minify",
  // A program that others wait for loads only its own part: in one piece each start takes in the whole house.
  "--splitting",
  // Bytecode needs no parsing at start; ESM form, because main awaits at its top.
  "--bytecode",
  "--format=esm",
  "--sourcemap=none",
  // What lies in the folder that wharf is called from must not steer it.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
  "src/main.ts",
  ...workers,
  "--outfile",
  outfile,
];
const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
const [out, err, code] = await Promise.all([
  new Response(child.stdout).text(),
  new Response(child.stderr).text(),
  child.exited,
]);
if (code !== 0) {
  console.error(`${out}${err}error: building ${outfile}: bun build failed`);
  process.exit(1);
}
console.log(`${outfile} (${(Bun.file(outfile).size / 1e6).toFixed(0)} MB)`);
