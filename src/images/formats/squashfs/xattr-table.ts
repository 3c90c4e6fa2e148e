import { AppError } from "#core";
import type { BlockCodec } from "#system";
import { ByteRecord } from "./byte-record.ts";
import { MetadataWriter } from "./metadata-writer.ts";

/** Of an inode without attributes. */
export const NO_XATTRS = -1;

/** The namespaces that squashfs has numbers for; POSIX ACLs (`system.`) cannot be stored. */
const PREFIXES = ["user.", "trusted.", "security."] as const;
const OUT_OF_LINE = 0x100;
/** A value this long is written once and referred to, which costs 8 bytes. */
const SHARED_VALUE_BYTES = 32;

/** Extended attributes: every distinct set is written once, every long value too. */
export class XattrTable {
  readonly #values: MetadataWriter;
  readonly #sets = new ByteRecord();
  readonly #indexes = new Map<string, number>();
  readonly #longValues = new Map<string, number>();

  constructor(codec: BlockCodec) {
    this.#values = new MetadataWriter(codec);
  }

  /** The number of this set; NO_XATTRS when nothing of it can be stored. Order of the names does not matter. */
  index(xattrs: ReadonlyMap<string, Uint8Array> | undefined): number {
    if (xattrs === undefined) return NO_XATTRS;
    const stored = [...xattrs].filter(([name]) => prefixOf(name) !== -1).sort(([a], [b]) => (a < b ? -1 : 1));
    if (stored.length === 0) return NO_XATTRS;
    const key = JSON.stringify(stored.map(([name, value]) => [name, Buffer.from(value).toString("base64")]));
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#indexes.size;
    this.#indexes.set(key, index);
    const reference = this.#values.reference;
    // Readers use it to size a list: full names with a zero behind each, and the values.
    let listBytes = 0;
    for (const [name, value] of stored) {
      this.#write(name, value);
      listBytes += name.length + 1 + value.length;
    }
    this.#sets.u64(reference).u32(stored.length).u32(listBytes);
    return index;
  }

  get count(): number {
    return this.#indexes.size;
  }

  /** The values' blocks and the sets' records; both empty when no file has attributes. */
  finish(): { readonly values: readonly Uint8Array[]; readonly sets: Uint8Array } {
    return { values: this.#values.finish(), sets: this.#sets.bytes };
  }

  #write(fullName: string, value: Uint8Array): void {
    const prefix = prefixOf(fullName);
    const name = fullName.slice(PREFIXES[prefix]?.length);
    if (name.length > 0xffff)
      throw new AppError("TOO_LARGE", "an extended attribute's name is too long for squashfs");
    const key = value.length < SHARED_VALUE_BYTES ? undefined : Buffer.from(value).toString("latin1");
    const shared = key === undefined ? undefined : this.#longValues.get(key);
    const record = new ByteRecord();
    record
      .u16(shared === undefined ? prefix : prefix | OUT_OF_LINE)
      .u16(name.length)
      .latin1(name);
    this.#values.write(record.bytes);
    if (shared !== undefined) {
      this.#values.write(record.clear().u32(8).u64(shared).bytes);
      return;
    }
    if (key !== undefined) this.#longValues.set(key, this.#values.reference);
    this.#values.write(record.clear().u32(value.length).raw(value).bytes);
  }
}

function prefixOf(name: string): number {
  return PREFIXES.findIndex((prefix) => name.startsWith(prefix));
}
