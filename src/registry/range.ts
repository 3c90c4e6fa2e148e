/** A part of a blob; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const BYTES = /^bytes=(\d{0,15})-(\d{0,15})$/;
const CHUNK = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/;

/**
 * Reads the Range header of a GET. undefined: the whole blob is to be sent (no header, another unit, several ranges, which RFC 9110
 * lets a server ignore). "unsatisfiable": 416, also for a range that ends before it begins.
 */
export function parseByteRange(
  header: string | null,
  sizeBytes: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = header === null ? null : BYTES.exec(header.trim());
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    const length = Number(last);
    if (last === "") return undefined;
    return length === 0 || sizeBytes === 0
      ? "unsatisfiable"
      : { start: Math.max(0, sizeBytes - length), end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  return start >= sizeBytes || end <= start ? "unsatisfiable" : { start, end };
}

/**
 * Reads the Content-Range of an uploaded chunk: `start-end` as the distribution specification writes it, or with the `bytes ` and
 * `/size` of RFC 9110 that some clients add. "invalid" when it is neither.
 */
export function parseChunkRange(header: string | null): ByteRange | "invalid" | undefined {
  if (header === null) return undefined;
  const match = CHUNK.exec(header.trim());
  if (match === null) return "invalid";
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  return end <= start ? "invalid" : { start, end };
}

/** The Range header of an upload: `0-N` inclusive, without a unit. An empty upload is `0-0` too: the specification has no other form. */
export function renderUploadRange(receivedBytes: number): string {
  return `0-${Math.max(0, receivedBytes - 1)}`;
}
