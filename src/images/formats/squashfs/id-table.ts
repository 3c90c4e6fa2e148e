import { AppError } from "#core";
import { ByteRecord } from "./byte-record.ts";

/** Of distinct users and groups together: the count is a 16-bit number. */
const MAX_IDS = 65_535;

/** Users and groups of the image by number, each distinct one once. */
export class IdTable {
  readonly #indexes = new Map<number, number>();

  /** The place of a user's or group's number. TOO_LARGE beyond 65,535 distinct ones. */
  index(id: number): number {
    const known = this.#indexes.get(id);
    if (known !== undefined) return known;
    if (id > 0xffff_ffff || id < 0)
      throw new AppError("UNSUPPORTED", `squashfs cannot hold user or group ${id}: its numbers have 32 bits`);
    const index = this.#indexes.size;
    if (index === MAX_IDS)
      throw new AppError(
        "TOO_LARGE",
        `the image has more than ${MAX_IDS} distinct users and groups, which squashfs cannot hold`,
        {
          hint: "give all files to root, or write the image as a tar or a folder",
        },
      );
    this.#indexes.set(id, index);
    return index;
  }

  get count(): number {
    return this.#indexes.size;
  }

  render(): Uint8Array {
    const record = new ByteRecord(this.#indexes.size * 4);
    for (const id of this.#indexes.keys()) record.u32(id);
    return record.bytes;
  }
}
