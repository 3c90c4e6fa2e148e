import { readOpenApi, renderApi } from "./api.ts";
import { renderCommands } from "./commands.ts";
import { renderConfiguration } from "./configuration.ts";
import { renderErrors } from "./errors.ts";
import { renderProof } from "./proof.ts";

/** Every generated text, by its path in the repository. */
export async function renderDocs(): Promise<ReadonlyMap<string, string>> {
  const openApi = await readOpenApi();
  return new Map([
    ["docs/reference/commands.md", await renderCommands()],
    ["docs/reference/errors.md", renderErrors()],
    ["docs/reference/configuration.md", renderConfiguration()],
    ["docs/reference/api.md", renderApi(openApi)],
    ["docs/reference/openapi.json", openApi],
    ["docs/proof.md", renderProof()],
  ]);
}
