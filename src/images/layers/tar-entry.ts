import type { EntryType, LayerEntry } from "../contract.ts";
import { cleanPath } from "./entry-path.ts";
import { isKeptXattr } from "./kept-xattrs.ts";
import type { LayerLimits } from "./layer-limits.ts";
import { type PaxRecords, xattrsOf } from "./pax-records.ts";
import { invalidLayer, overLimit } from "./refuse.ts";
import { parseDevice, type TarHeader } from "./tar-header.ts";
import { parseDecimal } from "./tar-number.ts";

/** What stood before a header and speaks of the same entry. */
export interface Foreword {
  readonly records: PaxRecords;
  /** GNU's long name and long link. */
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
}

/** An entry, and how many bytes the archive holds for it: of a sparse file, whose map is not yet read, `sizeBytes` says the same. */
export interface ReadEntry {
  readonly entry: LayerEntry;
  readonly storedBytes: number;
}

/** The name of an entry as written; PAX's word wins, then GNU's. */
export function entryName(header: TarHeader, foreword: Foreword): string {
  return (
    foreword.records.get("GNU.sparse.name") ??
    foreword.records.get("path") ??
    foreword.longName ??
    header.name
  );
}

/** Makes the entry from its header and what stood before it. `path` is its cleaned name. Throws IMAGE_INVALID, TOO_LARGE. */
export function createEntry(
  block: Buffer,
  header: TarHeader,
  foreword: Foreword,
  limits: LayerLimits,
): ReadEntry {
  const { records } = foreword;
  const name = entryName(header, foreword);
  const type = entryType(header.typeflag, name);
  const size = wholeOf(records.get("size"), "count") ?? header.sizeBytes;
  if (size < 0) throw invalidLayer("its size is negative");
  const path = cleanPath(name, limits);
  if (path === "" && type !== "directory") throw invalidLayer("the root of an image must be a folder");
  return {
    entry: {
      path,
      type,
      // Linux gives every symlink this mode; tars say anything.
      mode: type === "symlink" ? 0o777 : header.mode & 0o7777,
      uid: ownerOf(records.get("uid"), header.uid),
      gid: ownerOf(records.get("gid"), header.gid),
      mtimeSeconds: wholeOf(records.get("mtime"), "time") ?? header.mtimeSeconds,
      sizeBytes: type === "file" ? size : 0,
      linkTarget: linkOf(type, records.get("linkpath") ?? foreword.longLink ?? header.linkName, limits),
      device: type === "character" || type === "block" ? checkDevice(parseDevice(block)) : undefined,
      xattrs: records.size === 0 ? undefined : xattrsOf(records, isKeptXattr),
    },
    storedBytes: HAS_BODY.has(header.typeflag) ? size : 0,
  };
}

/** Links, devices and folders have no body whatever their size says (POSIX ustar): some programs put the file's size there. */
const HAS_BODY: ReadonlySet<string> = new Set(["0", "7", "S", "V"]);

const TYPES: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

function entryType(typeflag: string, name: string): EntryType {
  const type = TYPES[typeflag];
  if (type === undefined)
    throw invalidLayer(`its type ${JSON.stringify(typeflag)} is not one that a layer may hold`);
  // Version 7 had no type for folders.
  return type === "file" && typeflag !== "S" && name.endsWith("/") ? "directory" : type;
}

function linkOf(type: EntryType, target: string, limits: LayerLimits): string {
  if (type === "hardlink") return cleanPath(target, limits);
  if (type !== "symlink") return "";
  if (target === "") throw invalidLayer("it is a symlink to nothing");
  if (target.length > limits.maxPathBytes)
    throw overLimit(`its target is longer than ${limits.maxPathBytes} bytes`, "maxPathBytes");
  return target;
}

function ownerOf(record: string | undefined, own: number): number {
  const id = wholeOf(record, "count") ?? own;
  if (id < 0 || id > 0xffff_ffff) throw invalidLayer(`its owner ${id} is not a number of 32 bits`);
  return id;
}

function checkDevice(device: { major: number; minor: number }): { major: number; minor: number } {
  const { major, minor } = device;
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xf_ffff)
    throw invalidLayer(`its device ${major}:${minor} is not one that Linux has`);
  return device;
}

function wholeOf(record: string | undefined, form: "count" | "time"): number | undefined {
  return record === undefined ? undefined : parseDecimal(record, form);
}
