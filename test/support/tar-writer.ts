/**
 * Writes tar archives by hand, every oddity included. Names are latin1 characters, one for each byte. An archive is a list of parts: `tarEntry`,
 * `paxHeader`, `gnuLong`, the sparse forms, raw blocks; `renderTar` puts them together and ends them.
 */
export interface TarItem {
  readonly path: string;
  /** The type's character; by default "0", "5" for a path that ends with a slash, "2" where a link's target is given. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly content?: Uint8Array | string;
  readonly linkTarget?: string;
  readonly device?: readonly [major: number, minor: number];
  /** Written as `SCHILY.xattr.` records; text is latin1. */
  readonly xattrs?: Readonly<Record<string, Uint8Array | string>>;
  /** Further PAX records. */
  readonly pax?: Readonly<Record<string, Uint8Array | string>>;
  /** What the size field says where that is not the content's length. */
  readonly size?: number;
  /** The header's form; the magic of `gnu` has no prefix, `v7` no magic and no type for folders. */
  readonly form?: "ustar" | "gnu" | "v7" | "star";
  readonly prefix?: string;
  readonly checksum?: "right" | "signed" | "wrong";
  /** Numbers as GNU's base-256 instead of octal. */
  readonly base256?: boolean;
  /** Written over the header before its sum is taken. */
  readonly patch?: ReadonlyMap<number, Uint8Array | string>;
}

export const TAR_BLOCK = 512;

/** The archive of these parts, with the two blocks of zeros that end it, or with what is given instead. */
export function renderTar(
  parts: readonly Uint8Array[],
  end: Uint8Array = Buffer.alloc(2 * TAR_BLOCK),
): Buffer {
  return Buffer.concat([...parts, end]);
}

/** The parts of plain items, in order. */
export function renderTarItems(items: readonly TarItem[]): Buffer {
  return renderTar(items.map(tarEntry));
}

/** An entry with its padded content; a PAX header stands before it where its names, numbers or attributes need one. */
export function tarEntry(item: TarItem): Buffer {
  const content = bytesOf(item.content ?? "");
  const records: [string, Uint8Array | string][] = [];
  const isOwnForm = item.form !== undefined && item.form !== "ustar";
  if (!isOwnForm && item.path.length > 100) records.push(["path", item.path]);
  if (!isOwnForm && (item.linkTarget ?? "").length > 100) records.push(["linkpath", item.linkTarget ?? ""]);
  for (const key of ["uid", "gid"] as const) {
    const id = item[key] ?? 0;
    if (item.base256 !== true && id > 0o7777777) records.push([key, String(id)]);
  }
  const mtime = item.mtime ?? 0;
  if (item.base256 !== true && (mtime < 0 || mtime > 0o77777777777 || !Number.isInteger(mtime)))
    records.push(["mtime", String(mtime)]);
  for (const [name, value] of Object.entries(item.xattrs ?? {}))
    records.push([`SCHILY.xattr.${name}`, value]);
  records.push(...Object.entries(item.pax ?? {}));
  const before = records.length === 0 ? Buffer.alloc(0) : paxHeader(records);
  return Buffer.concat([before, tarHeader(item, content.length), padded(content)]);
}

/** A header block alone. */
export function tarHeader(item: TarItem, contentBytes: number): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  const form = item.form ?? "ustar";
  const put = (offset: number, length: number, text: string): void => {
    block.write(text.slice(0, length), offset, "latin1");
  };
  const number = (offset: number, length: number, value: number): void => {
    if (item.base256 === true) putBase256(block, offset, length, value);
    else put(offset, length, octal(value, length));
  };
  put(0, 100, item.path);
  number(100, 8, item.mode ?? (typeOf(item) === "5" ? 0o755 : 0o644));
  number(108, 8, item.uid ?? 0);
  number(116, 8, item.gid ?? 0);
  number(124, 12, item.size ?? contentBytes);
  number(136, 12, item.mtime ?? 0);
  block[156] = form === "v7" && item.type === undefined ? 0 : typeOf(item).charCodeAt(0);
  put(157, 100, item.linkTarget ?? "");
  if (form === "gnu") put(257, 8, "ustar  \0");
  else if (form !== "v7") put(257, 8, "ustar\x0000");
  if (item.device !== undefined) {
    number(329, 8, item.device[0]);
    number(337, 8, item.device[1]);
  }
  put(345, 155, item.prefix ?? "");
  if (form === "star") put(508, 4, "tar\0");
  for (const [offset, bytes] of item.patch ?? []) block.set(bytesOf(bytes), offset);
  putChecksum(block, item.checksum ?? "right");
  return block;
}

/** A PAX header, `x` for the next entry, `g` for all that follow. Keys may come twice. */
export function paxHeader(
  records: readonly (readonly [key: string, value: Uint8Array | string])[],
  type: "x" | "g" | "X" = "x",
): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return rawHeader(type, body);
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
export function paxRecord(key: string, value: Uint8Array | string): Buffer {
  const rest = Buffer.concat([bytesOf(` ${key}=`), bytesOf(value), bytesOf("\n")]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([bytesOf(String(length)), rest]);
}

/** GNU's long name (`L`) or long link (`K`) for the next entry. */
export function gnuLong(type: "L" | "K", name: string): Buffer {
  return rawHeader(type, bytesOf(`${name}\0`));
}

/** A header of this type with a body. */
export function rawHeader(type: string, body: Uint8Array): Buffer {
  const name = type === "L" || type === "K" ? "././@LongLink" : "PaxHeaders/header";
  return Buffer.concat([tarHeader({ path: name, type, form: "gnu" }, body.length), padded(body)]);
}

/** Bytes, or latin1 text, filled up to a whole block. */
export function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((TAR_BLOCK - (bytes.length % TAR_BLOCK)) % TAR_BLOCK)]);
}

/** A stretch of data in a sparse file. */
export interface TarExtent {
  readonly offset: number;
  readonly data: Uint8Array | string;
}

/** A sparse file in one of GNU tar's four forms. */
export function sparseEntry(
  form: "old" | "0.0" | "0.1" | "1.0",
  item: TarItem,
  realBytes: number,
  extents: readonly TarExtent[],
): Buffer {
  const data = Buffer.concat(extents.map((extent) => bytesOf(extent.data)));
  const pairs = extents.map((extent): [number, number] => [extent.offset, bytesOf(extent.data).length]);
  if (form === "old") return oldSparse(item, realBytes, pairs, data);
  const pax: [string, string][] = [["GNU.sparse.name", item.path]];
  if (form === "1.0") {
    pax.push(
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.realsize", String(realBytes)],
    );
    const map = padded(bytesOf([pairs.length, ...pairs.flat()].map((number) => `${number}\n`).join("")));
    const body = Buffer.concat([map, padded(data)]);
    const size = map.length + data.length;
    return Buffer.concat([paxHeader(pax), tarHeader({ ...item, path: "GNUSparseFile.0/x", size }, 0), body]);
  }
  pax.push(["GNU.sparse.size", String(realBytes)], ["GNU.sparse.numblocks", String(pairs.length)]);
  if (form === "0.1") pax.push(["GNU.sparse.map", pairs.flat().join(",")]);
  else
    for (const [offset, length] of pairs)
      pax.push(["GNU.sparse.offset", String(offset)], ["GNU.sparse.numbytes", String(length)]);
  return Buffer.concat([paxHeader(pax), tarHeader(item, data.length), padded(data)]);
}

function oldSparse(
  item: TarItem,
  realBytes: number,
  pairs: readonly [number, number][],
  data: Buffer,
): Buffer {
  const field = ([offset, length]: [number, number]): string => octal(offset, 12) + octal(length, 12);
  const inHeader = pairs.slice(0, 4).map(field).join("");
  const further = pairs.slice(4);
  const patch = new Map<number, string>([
    [386, inHeader],
    [482, further.length > 0 ? "\x01" : "\0"],
    [483, octal(realBytes, 12)],
  ]);
  const blocks: Buffer[] = [];
  for (let at = 0; at < further.length; at += 21) {
    const block = Buffer.alloc(TAR_BLOCK);
    block.write(
      further
        .slice(at, at + 21)
        .map(field)
        .join(""),
      0,
      "latin1",
    );
    block[504] = at + 21 < further.length ? 1 : 0;
    blocks.push(block);
  }
  return Buffer.concat([
    tarHeader({ ...item, type: "S", form: "gnu", patch }, data.length),
    ...blocks,
    padded(data),
  ]);
}

function typeOf(item: TarItem): string {
  if (item.type !== undefined) return item.type;
  if (item.path.endsWith("/")) return "5";
  return item.linkTarget === undefined ? "0" : "2";
}

function octal(value: number, length: number): string {
  const text = Math.max(0, Math.floor(value)).toString(8);
  // What does not fit is said in a PAX record.
  return text.length > length - 1 ? `${"0".repeat(length - 1)}\0` : `${text.padStart(length - 1, "0")}\0`;
}

function putBase256(block: Buffer, offset: number, length: number, value: number): void {
  let rest = BigInt(value);
  for (let at = offset + length - 1; at > offset; at--) {
    block[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[offset] = value < 0 ? 0xff : 0x80;
}

function putChecksum(block: Buffer, how: "right" | "signed" | "wrong"): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += how === "signed" && byte > 127 ? byte - 256 : byte;
  if (how === "wrong") sum++;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

function bytesOf(value: Uint8Array | string): Uint8Array {
  return typeof value === "string" ? Buffer.from(value, "latin1") : value;
}
