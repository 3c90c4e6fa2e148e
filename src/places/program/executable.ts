import { AppError } from "#core";
import { hashFile, type PackedFile, packFile } from "#system";

/** The executable of wharf that is put where other programs start it. */
export interface ProgramFile {
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** As `uname -m` says it. */
  readonly machine: string;
  /** The dynamic loader that must be there, which tells the C library too; undefined: it needs none. */
  readonly loader: string | undefined;
  /** Its bytes in gzip, packed when they are first asked for. */
  packed(): Promise<PackedFile>;
}

/** Reads and hashes an executable. Throws NOT_FOUND, and INVALID_INPUT for what no Linux host could start. */
export async function readExecutable(path: string): Promise<ProgramFile> {
  const file = await hashFile(path);
  if (file === undefined) throw new AppError("NOT_FOUND", `there is no ${path}`, { hint: BUILD });
  const { machine, loader } = parseElf(file.head, path);
  let packed: Promise<PackedFile> | undefined;
  return {
    path,
    sha256: file.sha256,
    sizeBytes: file.sizeBytes,
    machine,
    loader,
    packed() {
      packed ??= packFile(path);
      return packed;
    },
  };
}

const BUILD = "`npm run build` makes dist/wharf for this machine";

/** e_machine (ELF, System V ABI), as `uname -m` names it: what wharf is built for. */
const MACHINES: ReadonlyMap<number, string> = new Map([
  [62, "x86_64"],
  [183, "aarch64"],
]);
const EXECUTABLE_OR_SHARED = [2, 3];
const INTERPRETER = 3;
const MAX_HEADERS = 64;

/** Machine and loader of a 64-bit little-endian ELF program, from its first bytes. Throws INVALID_INPUT. */
export function parseElf(
  head: Uint8Array,
  path: string,
): { readonly machine: string; readonly loader: string | undefined } {
  const invalid = (why: string): AppError =>
    new AppError("INVALID_INPUT", `${path} is not the executable of wharf: ${why}`, { hint: BUILD });
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 64 || view.getUint32(0) !== 0x7f454c46) throw invalid("it is no program of Linux");
  if (head[4] !== 2 || head[5] !== 1 || !EXECUTABLE_OR_SHARED.includes(view.getUint16(16, true)))
    throw invalid("it is no 64-bit program of Linux");
  const machine = MACHINES.get(view.getUint16(18, true));
  if (machine === undefined) throw invalid("it is for another kind of machine");
  const [table, size, count] = [
    Number(view.getBigUint64(32, true)),
    view.getUint16(54, true),
    view.getUint16(56, true),
  ];
  if (size < 56 || count > MAX_HEADERS || table + size * count > head.length)
    throw invalid("its headers cannot be read");
  for (let at = table; at < table + size * count; at += size) {
    if (view.getUint32(at, true) !== INTERPRETER) continue;
    const [offset, length] = [
      Number(view.getBigUint64(at + 8, true)),
      Number(view.getBigUint64(at + 32, true)),
    ];
    if (offset + length > head.length) throw invalid("its headers cannot be read");
    const loader = new TextDecoder("latin1")
      .decode(head.subarray(offset, offset + length))
      .replace(/\0+$/, "");
    if (!/^\/[A-Za-z0-9._/+-]{1,200}$/.test(loader)) throw invalid("its loader cannot be read");
    return { machine, loader };
  }
  return { machine, loader: undefined };
}
