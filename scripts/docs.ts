/** `npm run docs`: writes the reference that is made from the code. `--check` writes nothing and fails when it is stale. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderDocs } from "./docs/render-docs.ts";

const root = join(import.meta.dir, "..");
const check = process.argv.includes("--check");
const stale: string[] = [];
for (const [path, text] of await renderDocs()) {
  const file = Bun.file(join(root, path));
  if ((await file.exists()) && (await file.text()) === text) continue;
  stale.push(path);
  if (check) continue;
  mkdirSync(dirname(join(root, path)), { recursive: true });
  await Bun.write(file, text);
}
for (const path of stale) console.log(`${check ? "stale" : "wrote"}: ${path}`);
if (check && stale.length > 0) process.exit(1);
