import type { SifArchitecture } from "./sif-layout.ts";

/** Machines by their number in an ELF header (elf.h, EM_*): for words of 32 and of 64 bits, least significant byte first, then the other order. */
const MACHINES = new Map<number, readonly (SifArchitecture | undefined)[]>([
  [3, ["386"]],
  [8, ["mipsle", "mips64le", "mips", "mips64"]],
  [21, [undefined, "ppc64le", undefined, "ppc64"]],
  [22, [undefined, undefined, undefined, "s390x"]],
  [40, ["arm"]],
  [62, [undefined, "amd64"]],
  [183, [undefined, "arm64"]],
  [243, [undefined, "riscv64"]],
  [258, [undefined, "loong64"]],
]);

const PROGRAM_TYPES = [2, 3];

/** What the first 64 bytes of a program say about the machine that it runs on; undefined for what is no program, or for a machine that SIF has no number for. */
export function elfArchitecture(head: Uint8Array): SifArchitecture | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length < 20 || bytes.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  const [wordSize, order] = [bytes[4], bytes[5]];
  if ((wordSize !== 1 && wordSize !== 2) || (order !== 1 && order !== 2)) return undefined;
  const read = (at: number): number => (order === 1 ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  if (!PROGRAM_TYPES.includes(read(16))) return undefined;
  return MACHINES.get(read(18))?.[(order - 1) * 2 + wordSize - 1];
}
