import { AppError, type Context } from "#core";
import type { ByteSource } from "../contract.ts";
import { defaultLayerLimits } from "../layers/layer-limits.ts";
import { type PaxRecords, readPaxRecords } from "../layers/pax-records.ts";
import { BLOCK_BYTES, isZeroBlock, parseTarHeader, type TarHeader, textAt } from "../layers/tar-header.ts";
import { readStretch } from "../read-stretch.ts";

/** A file inside an archive: where its bytes lie. */
export interface ArchiveMember {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** The files of an archive by their names, links followed within it. Nothing is unpacked, so that no name leads anywhere. */
export type ArchiveIndex = (name: string) => ArchiveMember | undefined;

/** An archive of an image has a few files for each layer. */
const MAX_MEMBERS = 200_000;
const MAX_HEADER_BYTES = 1024 * 1024;
const MAX_LINKS = 8;

/** Reads the headers of a tar archive (ustar, PAX, GNU). Throws IMAGE_INVALID, TOO_LARGE, and what the source throws. */
export async function indexArchive(context: Context, source: ByteSource): Promise<ArchiveIndex> {
  const files = new Map<string, ArchiveMember>();
  const links = new Map<string, string>();
  let records: PaxRecords = new Map();
  let longName: string | undefined;
  let longLink: string | undefined;
  let count = 0;
  for (let at = 0; at + BLOCK_BYTES <= source.sizeBytes; ) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped while an archive was read");
    const block = Buffer.from(await readStretch(source, at, BLOCK_BYTES, context));
    if (isZeroBlock(block)) break;
    if (++count > MAX_MEMBERS)
      throw new AppError("TOO_LARGE", `the archive has more than ${MAX_MEMBERS} files`);
    const header = parseTarHeader(block);
    const isExtra = "xgLK".includes(header.typeflag);
    const sizeBytes = isExtra ? header.sizeBytes : sizeOf(header, records);
    if (sizeBytes < 0) throw new AppError("IMAGE_INVALID", "a size in the archive is negative");
    const offset = at + BLOCK_BYTES;
    at = offset + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (offset + sizeBytes > source.sizeBytes)
      throw new AppError("IMAGE_INVALID", "the archive ends in the middle of a file");
    if (isExtra) {
      if (sizeBytes > MAX_HEADER_BYTES)
        throw new AppError("TOO_LARGE", `a header of the archive is larger than ${MAX_HEADER_BYTES} bytes`);
      const body = Buffer.from(await readStretch(source, offset, sizeBytes, context));
      if (header.typeflag === "x") readPaxRecords(body, records, defaultLayerLimits);
      else if (header.typeflag === "L") longName = textAt(body, 0, body.length);
      else if (header.typeflag === "K") longLink = textAt(body, 0, body.length);
      continue;
    }
    const name = cleanName(records.get("path") ?? longName ?? header.name);
    if (header.typeflag === "0" || header.typeflag === "7") files.set(name, { offset, sizeBytes });
    else if (header.typeflag === "1")
      links.set(name, cleanName(records.get("linkpath") ?? longLink ?? header.linkName));
    else if (header.typeflag === "2")
      links.set(name, besideName(name, records.get("linkpath") ?? longLink ?? header.linkName));
    records = new Map();
    longName = undefined;
    longLink = undefined;
  }
  return (wanted) => {
    let name = cleanName(wanted);
    for (let hop = 0; hop <= MAX_LINKS; hop++) {
      const file = files.get(name);
      if (file !== undefined) return file;
      const target = links.get(name);
      if (target === undefined) return undefined;
      name = target;
    }
    return undefined;
  };
}

function sizeOf(header: TarHeader, records: PaxRecords): number {
  const said = records.get("size");
  if (said === undefined)
    return "012".includes(header.typeflag) || header.typeflag === "7" ? linkless(header) : 0;
  if (!/^\d{1,15}$/.test(said)) throw new AppError("IMAGE_INVALID", "a size in the archive is not a number");
  return Number(said);
}

/** Links have no content, whatever their header says. */
function linkless({ typeflag, sizeBytes }: TarHeader): number {
  return typeflag === "0" || typeflag === "7" ? sizeBytes : 0;
}

function cleanName(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** A symbolic link begins at its own folder. */
function besideName(name: string, target: string): string {
  const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
  return cleanName(target.startsWith("/") ? target : `${folder}/${target}`);
}
