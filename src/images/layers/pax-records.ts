import type { LayerLimits } from "./layer-limits.ts";
import { invalidLayer, overLimit } from "./refuse.ts";

/**
 * The records of a PAX header that say something to us (POSIX pax, "pax Extended Header"), values as latin1. The offsets and lengths of the first
 * sparse form, which repeat their keys, are gathered into `GNU.sparse.map`. An empty value takes a former one away.
 */
export type PaxRecords = Map<string, string>;

/** Reads `body` into `records`: later ones win, also over a former header's. Throws IMAGE_INVALID, TOO_LARGE. */
export function readPaxRecords(body: Buffer, records: PaxRecords, limits: LayerLimits): void {
  const sparse: string[] = [];
  let at = 0;
  while (at < body.length) {
    const record = readRecord(body, at);
    at = record.next;
    const { key } = record;
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
      if ((key === "GNU.sparse.offset") !== (sparse.length % 2 === 0))
        throw invalidLayer("its sparse map is out of order");
      sparse.push(body.toString("latin1", record.start, record.end));
    } else if (isKnown(key)) {
      setRecord(records, key, body.toString("latin1", record.start, record.end), limits);
    }
  }
  if (sparse.length > 0) records.set("GNU.sparse.map", sparse.join(","));
}

/** The extended attributes of records, as bytes; undefined for none. SCHILY's form wins over libarchive's, which says the same again. */
export function xattrsOf(
  records: PaxRecords,
  isKept: (name: string) => boolean,
): Map<string, Uint8Array> | undefined {
  let found: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    const isPlain = key.startsWith(SCHILY);
    if (!isPlain && !key.startsWith(LIBARCHIVE)) continue;
    const name = isPlain ? key.slice(SCHILY.length) : unescapeName(key.slice(LIBARCHIVE.length));
    if (!isKept(name) || (!isPlain && records.has(SCHILY + name))) continue;
    found ??= new Map();
    found.set(name, new Uint8Array(Buffer.from(value, isPlain ? "latin1" : "base64")));
  }
  return found;
}

const SCHILY = "SCHILY.xattr.";
const LIBARCHIVE = "LIBARCHIVE.xattr.";
const MAX_XATTR_NAME_BYTES = 255;
const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

const KNOWN: ReadonlySet<string> = new Set([
  "path",
  "linkpath",
  "size",
  "mtime",
  "uid",
  "gid",
  "GNU.sparse.major",
  "GNU.sparse.minor",
  "GNU.sparse.name",
  "GNU.sparse.realsize",
  "GNU.sparse.size",
  "GNU.sparse.map",
  "GNU.sparse.numblocks",
]);

function isKnown(key: string): boolean {
  return KNOWN.has(key) || isXattr(key);
}

function isXattr(key: string): boolean {
  return key.startsWith(SCHILY) || key.startsWith(LIBARCHIVE);
}

/** One `LENGTH KEY=VALUE\n`; the length counts itself, so a value may hold anything. */
function readRecord(body: Buffer, at: number): { key: string; start: number; end: number; next: number } {
  let length = 0;
  let digits = 0;
  for (; digits < 8; digits++) {
    const digit = (body[at + digits] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  const next = at + length;
  const equals = body.indexOf(EQUALS, at + digits + 1);
  const isRight =
    digits > 0 &&
    body[at + digits] === SPACE &&
    next <= body.length &&
    body[next - 1] === NEWLINE &&
    equals > at + digits + 1 &&
    equals < next - 1;
  if (!isRight) throw invalidLayer("its PAX header is damaged");
  return { key: body.toString("latin1", at + digits + 1, equals), start: equals + 1, end: next - 1, next };
}

function setRecord(records: PaxRecords, key: string, value: string, limits: LayerLimits): void {
  if (isXattr(key)) {
    if (key.includes("\0")) throw invalidLayer("the name of an extended attribute holds a NUL");
    if (key.length > LIBARCHIVE.length + 3 * MAX_XATTR_NAME_BYTES)
      throw overLimit("the name of an extended attribute is too long", "maxXattrBytes");
    const bytes = key.startsWith(SCHILY) ? value.length : Math.floor((value.length * 3) / 4);
    if (bytes > limits.maxXattrBytes)
      throw overLimit(`an extended attribute is larger than ${limits.maxXattrBytes} bytes`, "maxXattrBytes");
    // An attribute may well be empty; other records are taken away by that.
    records.set(key, value);
    return;
  }
  if (value.includes("\0")) throw invalidLayer(`the ${key} in its PAX header holds a NUL`);
  if (value === "") records.delete(key);
  else records.set(key, value);
}

/** libarchive writes a name's unusual bytes as in an URL. */
function unescapeName(name: string): string {
  return name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
