/**
 * How a SIF file is laid out: a header of 128 bytes, at 4096 an array of descriptors of 585 bytes each, then the objects. Little-endian, packed
 * without padding, so that fields lie where they happen to. The partition alone begins at a multiple of 4096, for it is mounted.
 */
export const HEADER_BYTES = 128;
export const DESCRIPTOR_BYTES = 585;
export const DESCRIPTORS_OFFSET = 4096;
export const DESCRIPTOR_SLOTS = 48;
export const DATA_OFFSET = DESCRIPTORS_OFFSET + DESCRIPTOR_SLOTS * DESCRIPTOR_BYTES;
export const PARTITION_ALIGNMENT = 4096;

export const MAGIC = "SIF_MAGIC\0";
export const VERSION = "01\0";
export const LAUNCH_BYTES = 32;
export const NAME_BYTES = 128;

/** Go's zero time as seconds: both times of a SIF that is the same whenever it is made. */
export const ZERO_TIME_SECONDS = -62_135_596_800;

/** A group's number is stored with these bits; alone they say "no group". */
export const GROUP_BITS = 0xf000_0000;

/** Where each field of the header is. */
export const headerAt = {
  launch: 0,
  magic: 32,
  version: 42,
  architecture: 45,
  id: 48,
  created: 64,
  modified: 72,
  free: 80,
  total: 88,
  descriptorsOffset: 96,
  descriptorsSize: 104,
  dataOffset: 112,
  dataSize: 120,
} as const;

/** Where each field of a descriptor is. */
export const descriptorAt = {
  type: 0,
  used: 4,
  id: 5,
  group: 9,
  link: 13,
  offset: 17,
  size: 25,
  paddedSize: 33,
  created: 41,
  modified: 49,
  name: 73,
  extra: 201,
} as const;

/** What an object is, by its number. */
export const dataTypes = {
  definition: 0x4001,
  environment: 0x4002,
  labels: 0x4003,
  partition: 0x4004,
  signature: 0x4005,
  json: 0x4006,
  generic: 0x4007,
  "crypto-message": 0x4008,
  sbom: 0x4009,
  "oci-index": 0x400a,
  "oci-blob": 0x400b,
} as const;

export type SifDataType = keyof typeof dataTypes;

/** What a partition holds, by its number. */
export const fileSystems = {
  squashfs: 1,
  ext3: 2,
  archive: 3,
  raw: 4,
  "encrypted-squashfs": 5,
  "gocryptfs-squashfs": 6,
} as const;

/** What a partition is for, by its number. */
export const partitionKinds = { system: 1, "primary-system": 2, data: 3, overlay: 4 } as const;

/** Architectures by the two digits that a SIF has for them. */
export const architectures = {
  "386": "01",
  amd64: "02",
  arm: "03",
  arm64: "04",
  ppc64: "05",
  ppc64le: "06",
  mips: "07",
  mipsle: "08",
  mips64: "09",
  mips64le: "10",
  s390x: "11",
  riscv64: "12",
  loong64: "13",
} as const;

export type SifArchitecture = keyof typeof architectures;
