import { AppError, type Context } from "#core";
import type { ByteSource } from "../../contract.ts";
import { readStretch } from "../../read-stretch.ts";
import {
  architectures,
  DESCRIPTOR_BYTES,
  dataTypes,
  descriptorAt,
  fileSystems,
  GROUP_BITS,
  HEADER_BYTES,
  headerAt,
  LAUNCH_BYTES,
  MAGIC,
  NAME_BYTES,
  partitionKinds,
  type SifArchitecture,
  type SifDataType,
  VERSION,
  ZERO_TIME_SECONDS,
} from "./sif-layout.ts";

/** A SIF file, read without its objects. */
export interface SifFile {
  /** Its first line where it can be run as a program; "" else. */
  readonly launch: string;
  /** Of its primary partition; undefined where it has none, or one of an architecture that nobody knows. */
  readonly architecture: SifArchitecture | undefined;
  /** Hexadecimal; undefined where it has none, as every file that is the same whenever it is made. */
  readonly id: string | undefined;
  /** Seconds; undefined for none. */
  readonly createdSeconds: number | undefined;
  readonly modifiedSeconds: number | undefined;
  readonly descriptors: readonly SifDescriptor[];
}

export interface SifDescriptor {
  readonly id: number;
  /** The number, for a type that is not known. */
  readonly type: SifDataType | number;
  readonly group: number | undefined;
  /** What it belongs to: a signature to the group or object that it signs. */
  readonly link: { readonly kind: "object" | "group"; readonly number: number } | undefined;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly createdSeconds: number | undefined;
  readonly name: string;
  /** Of a partition alone. */
  readonly partition:
    | {
        readonly fileSystem: keyof typeof fileSystems | number;
        readonly kind: keyof typeof partitionKinds | number;
        readonly architecture: SifArchitecture | undefined;
      }
    | undefined;
}

/** Files in the world have 48 slots, or as many as an image has layers. */
const MAX_SLOTS = 4096;

/** True for the first bytes of a SIF. */
export function isSif(start: Uint8Array): boolean {
  return textAt(start, headerAt.magic, MAGIC.length) === MAGIC;
}

/**
 * Reads header and descriptors. Throws FILE_INVALID for what is no SIF, or whose numbers lead out of the file; TOO_LARGE for more
 * descriptors than 4096.
 */
export async function readSif(source: ByteSource, context: Context): Promise<SifFile> {
  if (source.sizeBytes < HEADER_BYTES) throw invalid("it is shorter than a header");
  const header = await readStretch(source, 0, HEADER_BYTES, context);
  if (!isSif(header)) throw invalid("it does not begin as one");
  if (textAt(header, headerAt.version, VERSION.length) !== VERSION) throw invalid("its version is not 1");
  const total = numberAt(header, headerAt.total, "number of descriptors");
  if (total > MAX_SLOTS)
    throw new AppError("TOO_LARGE", `the SIF has ${total} descriptors; more than ${MAX_SLOTS} are not read`);
  const offset = numberAt(header, headerAt.descriptorsOffset, "offset of descriptors");
  const size = total * DESCRIPTOR_BYTES;
  if (offset < HEADER_BYTES || offset + size > source.sizeBytes)
    throw invalid("its descriptors do not lie in the file");
  const slots = await readStretch(source, offset, size, context);
  const descriptors: SifDescriptor[] = [];
  const ids = new Set<number>();
  for (let index = 0; index < total; index++) {
    const slot = slots.subarray(index * DESCRIPTOR_BYTES, (index + 1) * DESCRIPTOR_BYTES);
    if (slot[descriptorAt.used] === 0) continue;
    const descriptor = parseDescriptor(slot, source.sizeBytes);
    if (ids.has(descriptor.id)) throw invalid(`two of its objects have the number ${descriptor.id}`);
    ids.add(descriptor.id);
    descriptors.push(descriptor);
  }
  const id = Buffer.from(header.subarray(headerAt.id, headerAt.id + 16)).toString("hex");
  return {
    launch: untilNul(header.subarray(headerAt.launch, headerAt.launch + LAUNCH_BYTES)).trim(),
    architecture: architectureOf(textAt(header, headerAt.architecture, 2)),
    id: /^0*$/.test(id) ? undefined : id,
    createdSeconds: timeAt(header, headerAt.created),
    modifiedSeconds: timeAt(header, headerAt.modified),
    descriptors,
  };
}

function parseDescriptor(slot: Uint8Array, fileBytes: number): SifDescriptor {
  const view = viewOf(slot);
  const number = view.getInt32(descriptorAt.type, true);
  const id = view.getUint32(descriptorAt.id, true);
  const offsetBytes = numberAt(slot, descriptorAt.offset, `offset of object ${id}`);
  const sizeBytes = numberAt(slot, descriptorAt.size, `size of object ${id}`);
  if (offsetBytes + sizeBytes > fileBytes) throw invalid(`its object ${id} does not lie in the file`);
  const group = view.getUint32(descriptorAt.group, true);
  const link = view.getUint32(descriptorAt.link, true);
  const type = nameOf(dataTypes, number);
  const extra = slot.subarray(descriptorAt.extra);
  return {
    id,
    type,
    group: group > GROUP_BITS ? group - GROUP_BITS : undefined,
    link:
      link === 0
        ? undefined
        : link > GROUP_BITS
          ? { kind: "group", number: link - GROUP_BITS }
          : { kind: "object", number: link },
    offsetBytes,
    sizeBytes,
    createdSeconds: timeAt(slot, descriptorAt.created),
    name: untilNul(slot.subarray(descriptorAt.name, descriptorAt.name + NAME_BYTES)),
    partition:
      type === "partition"
        ? {
            fileSystem: nameOf(fileSystems, viewOf(extra).getInt32(0, true)),
            kind: nameOf(partitionKinds, viewOf(extra).getInt32(4, true)),
            architecture: architectureOf(textAt(extra, 8, 2)),
          }
        : undefined,
  };
}

function nameOf<Name extends string>(names: Readonly<Record<Name, number>>, number: number): Name | number {
  for (const name in names) if (names[name] === number) return name;
  return number;
}

function architectureOf(digits: string): SifArchitecture | undefined {
  for (const [name, known] of Object.entries(architectures))
    if (known === digits) return name as SifArchitecture;
  return undefined;
}

/** A count or a place: never negative, and exact. */
function numberAt(bytes: Uint8Array, at: number, what: string): number {
  const value = viewOf(bytes).getBigInt64(at, true);
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`its ${what} is ${value}`);
  return Number(value);
}

function timeAt(bytes: Uint8Array, at: number): number | undefined {
  const value = Number(viewOf(bytes).getBigInt64(at, true));
  return value === ZERO_TIME_SECONDS || value === 0 ? undefined : value;
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString("latin1");
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString("utf8");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function invalid(why: string): AppError {
  return new AppError("FILE_INVALID", `this is no SIF that can be read: ${why}`);
}
