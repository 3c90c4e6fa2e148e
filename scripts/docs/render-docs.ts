import { join } from "node:path";
import { readOpenApi, renderApi } from "./api.ts";
import { renderCommands } from "./commands.ts";
import { renderConfiguration } from "./configuration.ts";
import { renderDoctor } from "./doctor.ts";
import { renderErrors } from "./errors.ts";
import { renderProof } from "./proof.ts";
import { renderReadme } from "./readme.ts";

/** Every generated text, by its path in the repository. */
export async function renderDocs(): Promise<ReadonlyMap<string, string>> {
  const openApi = await readOpenApi();
  return new Map([
    ["docs/reference/commands.md", await renderCommands()],
    ["docs/reference/errors.md", renderErrors()],
    ["docs/reference/doctor.md", renderDoctor()],
    ["docs/reference/configuration.md", renderConfiguration()],
    ["docs/reference/api.md", renderApi(openApi)],
    ["docs/reference/openapi.json", openApi],
    ["README.md", await renderReadme(await Bun.file(join(import.meta.dir, "../../README.md")).text())],
    ["docs/proof.md", renderProof()],
  ]);
}
