import { AppError, type Secret } from "#core";
import { besideConfig } from "#logins";
import { createKeyedHash, readTextLimited, writeFileDurable } from "#system";
import type { DeliveredRecord, PendingRestart } from "./contract.ts";

/** Ten thousand nodes with ten logins each are some 30 MB. */
const MAX_STATE_BYTES = 128 * 1024 * 1024;

export interface DeliveryState {
  readonly records: readonly DeliveredRecord[];
  /** Places where something failed when they were last delivered to, sorted. */
  readonly failed: readonly string[];
  /** Programs that were not restarted since their file was written. */
  readonly restarts: readonly PendingRestart[];
}

/** `wharf.state` beside the configuration; no records where there is none. Throws CONFIG_INVALID for a damaged one. */
export async function readState(configPath: string): Promise<DeliveryState> {
  const path = besideConfig(configPath, "state");
  const text = await readTextLimited(path, MAX_STATE_BYTES);
  return text === undefined ? { records: [], failed: [], restarts: [] } : parseState(path, text);
}

/** Begins every state in which nothing failed and nothing waits, as `renderState` writes it. */
const QUIET = '{\n  "version": 1,\n  "delivered": [';

/** `failed` of the state alone. Throws as `readState` does, but for records that are damaged where nothing failed. */
export async function readFailed(configPath: string): Promise<DeliveryState["failed"]> {
  const path = besideConfig(configPath, "state");
  const text = await readTextLimited(path, MAX_STATE_BYTES);
  // A large cluster's records need not be parsed for it.
  return text === undefined || text.startsWith(QUIET) ? [] : parseState(path, text).failed;
}

/** Writes the state, atomically, 0600; not at all where it is what is there. */
export async function writeState(configPath: string, state: DeliveryState): Promise<void> {
  const path = besideConfig(configPath, "state");
  const text = renderState(state);
  const before = await readTextLimited(path, MAX_STATE_BYTES);
  if (
    before === text ||
    (before === undefined && state.records.length + state.failed.length + state.restarts.length === 0)
  )
    return;
  await writeFileDurable(path, text, { mode: 0o600 });
}

export function parseState(path: string, text: string): DeliveryState {
  const value = readJson(path, text);
  if (typeof value !== "object" || value === null || !("version" in value) || !("delivered" in value))
    throw damaged(path);
  if (value.version !== 1)
    throw new AppError("UNSUPPORTED", `${path} was written by a newer wharf`, { hint: "use that version" });
  if (!Array.isArray(value.delivered)) throw damaged(path);
  const failed: unknown = "failed" in value ? value.failed : [];
  if (!Array.isArray(failed)) throw damaged(path);
  const restarts: unknown = "restarts" in value ? value.restarts : [];
  if (!Array.isArray(restarts)) throw damaged(path);
  return {
    records: value.delivered.map((record: unknown) => parseRecord(path, record)),
    failed: failed.map((place: unknown) => textOf(path, place)),
    restarts: restarts.map((one: unknown) => parseRestart(path, one)),
  };
}

export function renderState({ records, failed, restarts }: DeliveryState): string {
  const sorted = records
    .map((record) => ({ record, key: sortKey(record) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const lines = sorted.map(({ record }) => `    ${JSON.stringify(record)}`);
  const places = failed.length === 0 ? "" : `  "failed": ${JSON.stringify([...failed].sort())},\n`;
  const pending = [
    ...new Set(restarts.map(({ place, consumer }) => JSON.stringify({ place, consumer }))),
  ].sort();
  const waiting = pending.length === 0 ? "" : `  "restarts": [${pending.join(", ")}],\n`;
  return `{\n  "version": 1,\n${places}${waiting}  "delivered": [${lines.length === 0 ? "" : `\n${lines.join(",\n")}\n  `}]\n}\n`;
}

/** What is written at a place under a key, so that it is known again and cannot be guessed without the vault. */
export type Marker = (
  at: { readonly place: string; readonly file: string; readonly key: string },
  content: { readonly username: string; readonly secret: Secret },
) => string;

/** Marks under one key; for thousands of entries made once. */
export function createMarker(markKey: Secret): Marker {
  const hash = createKeyedHash(Buffer.from(markKey.reveal(), "hex"));
  return (at, { username, secret }) =>
    hash(
      [at.place, at.file, at.key, username, secret.reveal()]
        // Length first: no two different lists give the same bytes.
        .map((part) => `${Buffer.byteLength(part)}:${part}`)
        .join(""),
    );
}

/** Are these the same entry at the same place. */
export function recordKey(record: Pick<DeliveredRecord, "place" | "user" | "file" | "key">): string {
  return `${record.place}\u0000${record.user ?? ""}\u0000${record.file}\u0000${record.key}`;
}

function sortKey(record: DeliveredRecord): string {
  return [record.place, record.user ?? "", record.consumer, record.file, record.key].join("\u0000");
}

function readJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function parseRecord(path: string, value: unknown): DeliveredRecord {
  if (typeof value !== "object" || value === null) throw damaged(path);
  const fields = value as Readonly<Record<string, unknown>>;
  const user = fields["user"];
  const options = fields["options"];
  if (options !== undefined && (typeof options !== "object" || options === null || Array.isArray(options)))
    throw damaged(path);
  return {
    place: textOf(path, fields["place"]),
    user: user === undefined ? undefined : textOf(path, user),
    consumer: textOf(path, fields["consumer"]),
    file: textOf(path, fields["file"]),
    key: textOf(path, fields["key"]),
    login: textOf(path, fields["login"]),
    images: textOf(path, fields["images"]),
    mark: textOf(path, fields["mark"]),
    time: textOf(path, fields["time"]),
    ...(options === undefined ? {} : { options: options as Readonly<Record<string, unknown>> }),
  };
}

function parseRestart(path: string, value: unknown): PendingRestart {
  if (typeof value !== "object" || value === null) throw damaged(path);
  const fields = value as Readonly<Record<string, unknown>>;
  return { place: textOf(path, fields["place"]), consumer: textOf(path, fields["consumer"]) };
}

function textOf(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): AppError {
  return new AppError("CONFIG_INVALID", `${path}: is not a state file of wharf`, {
    hint: "take it back from version control, or remove it: the next apply finds what is in place and remembers it again",
    cause,
  });
}
