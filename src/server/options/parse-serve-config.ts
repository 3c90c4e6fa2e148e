import { AppError, nearestName } from "#core";
import type { ServeValues } from "./parse-serve-options.ts";
import { serveOptions } from "./serve-options.ts";

/**
 * The server's configuration file: YAML, the option names as keys. Throws CONFIG_INVALID with file, line and, for an unknown key,
 * the nearest one. `file` is only for messages.
 */
export async function parseServeConfig(text: string, file: string): Promise<ServeValues> {
  // Off the start path of a server without a file.
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const fail = (offset: number, why: string, hint?: string): never => {
    const { line, col } = lines.linePos(offset);
    throw new AppError("CONFIG_INVALID", `${file}, line ${line}, column ${col}: ${why}`, {
      ...(hint === undefined ? {} : { hint }),
      details: { file, line, column: col },
    });
  };
  const broken = document.errors[0];
  // Only the parser's code: its message quotes the file.
  if (broken !== undefined) return fail(broken.pos[0], `this is not YAML (${broken.code.toLowerCase()})`);
  if (document.contents === null) return {};
  const root = document.contents;
  if (!isMap(root)) return fail(0, "the file must be a list of 'name: value' lines");

  const values: Record<string, string | boolean | readonly string[]> = {};
  for (const { key, value } of root.items) {
    if (!isScalar(key) || typeof key.value !== "string") return fail(0, "a name must be plain text");
    const name = key.value;
    const at = key.range?.[0] ?? 0;
    const option = serveOptions.find((candidate) => candidate.name === name);
    if (option === undefined) {
      const near = nearestName(
        name,
        serveOptions.map((candidate) => candidate.name),
      );
      return fail(
        at,
        `there is no option ${JSON.stringify(name.slice(0, 100))}`,
        near === undefined
          ? `use ${serveOptions.map((each) => each.name).join(", ")}`
          : `did you mean ${near}?`,
      );
    }
    if (isScalar(value) && option.value === undefined && typeof value.value === "boolean")
      values[name] = value.value;
    else if (isScalar(value) && option.value !== undefined && isText(value.value))
      values[name] = String(value.value);
    else if (isSeq(value) && option.repeatable === true)
      values[name] = value.items.map((item) =>
        isScalar(item) && isText(item.value)
          ? String(item.value)
          : fail(at, `${name} must be a list of texts`),
      );
    else return fail(at, `${name} must be ${option.value === undefined ? "true or false" : "a text"}`);
  }
  return values;
}

function isText(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}
