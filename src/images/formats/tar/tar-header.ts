import type { Device, TreeNode } from "../../contract.ts";

/** One member of a tar archive. Names are latin1 characters, one for each byte. */
export interface TarMember {
  /** Without a slash at its end; "" is the root. */
  readonly path: string;
  readonly type: TreeNode["type"] | "hardlink";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
  /** Of a symlink as it is; of a hard link the other member's path. */
  readonly linkTarget: string;
  readonly device: Device | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
}

export const TAR_BLOCK = 512;

/** A plain file that belongs to an archive's own format. */
export function plainMember(path: string, sizeBytes: number): TarMember {
  return {
    path,
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    sizeBytes,
    linkTarget: "",
    device: undefined,
    xattrs: undefined,
  };
}

/** A member's header: ustar, and before it a PAX header (POSIX.1-2001) with what ustar has no room for, only where there is such. */
export function renderTarHeader(member: TarMember): Buffer {
  const path = writtenPath(member);
  const records = paxRecords(member, path);
  const header = renderUstar(member, path);
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const name = `PaxHeaders/${path.replace(/\/$/, "").split("/").at(-1) ?? ""}`;
  const about = renderUstar({ ...plainMember(name, body.length), mode: 0o644 }, name, "x");
  return Buffer.concat([about, body, Buffer.alloc(paddingOf(body.length)), header]);
}

/** How many zeros fill up the last block of a member. */
export function paddingOf(sizeBytes: number): number {
  return (TAR_BLOCK - (sizeBytes % TAR_BLOCK)) % TAR_BLOCK;
}

/** A header of one block, whatever the size: a number that octal digits cannot hold is GNU's base-256. */
export function renderUstar(
  member: TarMember,
  path: string,
  type: string = TYPES[member.type],
): Buffer<ArrayBuffer> {
  const block = Buffer.alloc(TAR_BLOCK);
  block.write(path.slice(0, 100), 0, "latin1");
  putNumber(block, 100, 8, member.mode);
  putNumber(block, 108, 8, Math.min(member.uid, MAX_ID));
  putNumber(block, 116, 8, Math.min(member.gid, MAX_ID));
  putNumber(block, 124, 12, member.sizeBytes);
  putNumber(block, 136, 12, Math.min(Math.max(member.mtimeSeconds, 0), MAX_TIME));
  block.write(type, 156, "latin1");
  block.write(member.linkTarget.slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  putNumber(block, 329, 8, member.device?.major ?? 0);
  putNumber(block, 337, 8, member.device?.minor ?? 0);
  block.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

const TYPES = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
} as const;
/** What the octal digits of a header can say. */
const MAX_ID = 0o7777777;
const MAX_TIME = 0o77777777777;

function writtenPath({ path, type }: TarMember): string {
  if (path === "") return "./";
  return type === "directory" ? `${path}/` : path;
}

function paxRecords(member: TarMember, path: string): Buffer[] {
  const { linkTarget, mtimeSeconds, sizeBytes, uid, gid } = member;
  const texts: [string, string][] = [];
  if (path.length > 100) texts.push(["path", path]);
  if (linkTarget.length > 100) texts.push(["linkpath", linkTarget]);
  const records: Buffer[] = [];
  // PAX texts are UTF-8 unless this says that they are bytes.
  if (texts.some(([, text]) => !isUtf8(text))) records.push(paxRecord("hdrcharset", latin1("BINARY")));
  if (sizeBytes > MAX_TIME) texts.push(["size", String(sizeBytes)]);
  if (uid > MAX_ID) texts.push(["uid", String(uid)]);
  if (gid > MAX_ID) texts.push(["gid", String(gid)]);
  if (mtimeSeconds < 0 || mtimeSeconds > MAX_TIME) texts.push(["mtime", String(mtimeSeconds)]);
  for (const [key, text] of texts) records.push(paxRecord(key, latin1(text)));
  const xattrs = [...(member.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of xattrs) records.push(xattrRecord(name, value));
  return records;
}

function xattrRecord(name: string, value: Uint8Array): Buffer {
  if (!name.includes("=")) return paxRecord(`SCHILY.xattr.${name}`, value);
  // A key ends at its first "=": libarchive's form has the name escaped, and the value as base64.
  const escaped = name.replace(
    /[%=]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return paxRecord(`LIBARCHIVE.xattr.${escaped}`, latin1(Buffer.from(value).toString("base64")));
}

/** `LENGTH KEY=VALUE\n`, the length counting its own digits. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const restBytes = key.length + value.length + 3;
  let length = restBytes;
  while (length !== restBytes + String(length).length) length = restBytes + String(length).length;
  return Buffer.concat([latin1(`${length} ${key}=`), value, latin1("\n")]);
}

function putNumber(block: Buffer, offset: number, length: number, value: number): void {
  const digits = value.toString(8);
  if (digits.length < length) {
    block.write(digits.padStart(length - 1, "0"), offset, "latin1");
    return;
  }
  let rest = BigInt(value);
  for (let at = offset + length - 1; at > offset; at--) {
    block[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[offset] = 0x80;
}

function isUtf8(text: string): boolean {
  return Buffer.compare(Buffer.from(latin1(text).toString("utf8")), latin1(text)) === 0;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
