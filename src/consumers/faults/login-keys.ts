import { isAppError } from "#core";
import { authsOf } from "../auth-file.ts";
import { type JsonObject, parseJsonText, readJsonText, stringField } from "../json-text.ts";

/** Keys of the entries of a config.json that hold a login; empty where there is none, and for a file that does not parse. */
export function loginKeys(bytes: Uint8Array): readonly string[] {
  let root: JsonObject;
  try {
    root = parseJsonText(readJsonText(bytes, ""), "");
  } catch (cause) {
    // What is wrong with it is said by its own rules.
    if (isAppError(cause, "FILE_INVALID")) return [];
    throw cause;
  }
  return (authsOf(root)?.members ?? [])
    .filter(({ value }) =>
      ["auth", "username", "identitytoken"].some((name) => (stringField(value, name) ?? "") !== ""),
    )
    .map(({ key }) => key);
}
