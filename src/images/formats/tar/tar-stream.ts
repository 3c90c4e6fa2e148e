import { AppError } from "#core";
import type { Sink } from "../../contract.ts";
import { SinkWriter } from "../squashfs/sink-writer.ts";
import { paddingOf, renderTarHeader, renderUstar, TAR_BLOCK, type TarMember } from "./tar-header.ts";

/** Writes a tar archive into a sink, member after member. The sink is neither finished nor aborted. */
export class TarStream {
  readonly #sink: Sink;
  readonly #output: SinkWriter;
  #member: TarMember | undefined;
  #beganAt = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#output = new SinkWriter(sink, 0, 0);
  }

  /** A member whose `sizeBytes` bytes of content follow by `write`, before `end`. */
  begin(member: TarMember): void | Promise<void> {
    const written = this.#output.append(renderTarHeader(member));
    const begin = (): void => {
      this.#beganAt = this.#output.position;
      this.#member = member;
    };
    return written === undefined ? begin() : written.then(begin);
  }

  write(piece: Uint8Array): void | Promise<void> {
    return this.#output.append(piece);
  }

  end(): void | Promise<void> {
    const sizeBytes = this.#output.position - this.#beganAt;
    if (sizeBytes !== this.#member?.sizeBytes)
      throw new AppError(
        "SIZE_INVALID",
        `a file has ${sizeBytes} bytes, ${this.#member?.sizeBytes} were said`,
      );
    return this.#output.append(Buffer.alloc(paddingOf(sizeBytes)));
  }

  /** A member with its content. */
  async add(member: TarMember, content: Uint8Array = new Uint8Array()): Promise<void> {
    await this.begin(member);
    await this.write(content);
    await this.end();
  }

  /** A plain file whose size is known when all of it is there: the header, one block, is written then. Its path has 100 bytes at most. */
  async addUnsized(member: TarMember, content: AsyncIterable<Uint8Array>): Promise<void> {
    const at = this.#output.position;
    await this.#output.append(Buffer.alloc(TAR_BLOCK));
    for await (const piece of content) await this.#output.append(piece);
    const sizeBytes = this.#output.position - at - TAR_BLOCK;
    await this.#output.append(Buffer.alloc(paddingOf(sizeBytes)));
    await this.#output.flush();
    await this.#sink.write(at, renderUstar({ ...member, sizeBytes }, member.path));
  }

  /** Ends the archive; gives its size. */
  async finish(): Promise<number> {
    await this.#output.append(Buffer.alloc(2 * TAR_BLOCK));
    await this.#output.flush();
    return this.#output.position;
  }
}
