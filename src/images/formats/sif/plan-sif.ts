import {
  architectures,
  DATA_OFFSET,
  DESCRIPTOR_BYTES,
  DESCRIPTOR_SLOTS,
  DESCRIPTORS_OFFSET,
  dataTypes,
  descriptorAt,
  fileSystems,
  GROUP_BITS,
  headerAt,
  MAGIC,
  NAME_BYTES,
  PARTITION_ALIGNMENT,
  partitionKinds,
  type SifArchitecture,
  type SifDataType,
  VERSION,
  ZERO_TIME_SECONDS,
} from "./sif-layout.ts";

/** Something small that lies before the partition. */
export interface SifObject {
  readonly type: Extract<SifDataType, "definition" | "json">;
  /** At most 127 bytes; "" for none. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The squashfs, once it is written. */
export interface SifPartition {
  readonly sizeBytes: number;
  readonly architecture: SifArchitecture;
}

export interface SifPlan {
  /** Where the partition begins. */
  readonly partitionOffset: number;
  /** All bytes before the partition. */
  render(partition: SifPartition): Uint8Array;
}

/** Run as a program, a SIF starts the runtime with itself. */
const LAUNCH = "#!/usr/bin/env run-singularity\n";
/** All objects are of one group: what a signature of the image covers. */
const GROUP = 1;

/**
 * Lays a SIF out around these objects and a partition whose size is not known yet. The bytes depend on nothing else: no identifier, no times
 * (both forks of the format's library call that deterministic).
 */
export function planSif(objects: readonly SifObject[]): SifPlan {
  let end = DATA_OFFSET;
  const placed = objects.map((object) => {
    const offset = end;
    end += object.bytes.length;
    return { object, offset };
  });
  const partitionOffset = Math.ceil(end / PARTITION_ALIGNMENT) * PARTITION_ALIGNMENT;
  return {
    partitionOffset,
    render({ sizeBytes, architecture }) {
      const bytes = new Uint8Array(partitionOffset);
      const used = objects.length + 1;
      writeHeader(bytes, { architecture, used, dataBytes: partitionOffset + sizeBytes - DATA_OFFSET });
      for (const [index, { object, offset }] of placed.entries()) {
        const slot = { index, type: object.type, name: object.name, offset, sizeBytes: object.bytes.length };
        writeDescriptor(bytes, { ...slot, paddedBytes: slot.sizeBytes });
        bytes.set(object.bytes, offset);
      }
      const extra = writeDescriptor(bytes, {
        index: objects.length,
        type: "partition",
        name: "",
        offset: partitionOffset,
        sizeBytes,
        paddedBytes: partitionOffset - end + sizeBytes,
      });
      extra.setUint32(0, fileSystems.squashfs, true);
      extra.setUint32(4, partitionKinds["primary-system"], true);
      writeText(new Uint8Array(extra.buffer, extra.byteOffset + 8, 2), architectures[architecture]);
      return bytes;
    },
  };
}

function writeHeader(
  bytes: Uint8Array,
  header: { readonly architecture: SifArchitecture; readonly used: number; readonly dataBytes: number },
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  writeText(bytes.subarray(headerAt.launch), LAUNCH);
  writeText(bytes.subarray(headerAt.magic), MAGIC);
  writeText(bytes.subarray(headerAt.version), VERSION);
  writeText(bytes.subarray(headerAt.architecture), architectures[header.architecture]);
  const numbers: readonly (readonly [keyof typeof headerAt, number])[] = [
    ["created", ZERO_TIME_SECONDS],
    ["modified", ZERO_TIME_SECONDS],
    ["free", DESCRIPTOR_SLOTS - header.used],
    ["total", DESCRIPTOR_SLOTS],
    ["descriptorsOffset", DESCRIPTORS_OFFSET],
    ["descriptorsSize", DESCRIPTOR_SLOTS * DESCRIPTOR_BYTES],
    ["dataOffset", DATA_OFFSET],
    ["dataSize", header.dataBytes],
  ];
  for (const [field, value] of numbers) view.setBigInt64(headerAt[field], BigInt(value), true);
}

interface Slot {
  readonly index: number;
  readonly type: SifDataType;
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  /** With what lies between it and the object before. */
  readonly paddedBytes: number;
}

/** Gives the part of the descriptor that each type of object has for itself. */
function writeDescriptor(bytes: Uint8Array, slot: Slot): DataView {
  const start = DESCRIPTORS_OFFSET + slot.index * DESCRIPTOR_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, DESCRIPTOR_BYTES);
  view.setInt32(descriptorAt.type, dataTypes[slot.type], true);
  view.setUint8(descriptorAt.used, 1);
  view.setUint32(descriptorAt.id, slot.index + 1, true);
  view.setUint32(descriptorAt.group, GROUP_BITS + GROUP, true);
  view.setBigInt64(descriptorAt.offset, BigInt(slot.offset), true);
  view.setBigInt64(descriptorAt.size, BigInt(slot.sizeBytes), true);
  view.setBigInt64(descriptorAt.paddedSize, BigInt(slot.paddedBytes), true);
  view.setBigInt64(descriptorAt.created, BigInt(ZERO_TIME_SECONDS), true);
  view.setBigInt64(descriptorAt.modified, BigInt(ZERO_TIME_SECONDS), true);
  writeText(bytes.subarray(start + descriptorAt.name, start + descriptorAt.name + NAME_BYTES), slot.name);
  return new DataView(
    view.buffer,
    view.byteOffset + descriptorAt.extra,
    DESCRIPTOR_BYTES - descriptorAt.extra,
  );
}

function writeText(into: Uint8Array, text: string): void {
  into.set(Buffer.from(text, "latin1"));
}
