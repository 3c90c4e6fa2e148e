import { AppError } from "#core";

/** The announced length of a body; undefined when it is streamed without one. SIZE_INVALID when it is no number. */
export function announcedBytes(request: Request): number | undefined {
  const header = request.headers.get("content-length");
  // A Request that never was on a wire has neither header. The body is looked at last: looking makes a stream of it.
  if (header === null)
    return request.headers.has("transfer-encoding") || request.body !== null ? undefined : 0;
  if (!/^\d{1,15}$/.test(header)) throw new AppError("SIZE_INVALID", "content-length is not a number");
  return Number(header);
}

/** All of a body that is known to be small. TOO_LARGE beyond `maxBytes`, before more is read; INTERRUPTED when the sender goes away. */
export async function readBody(
  request: Request,
  maxBytes: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = announcedBytes(request);
  if (announced !== undefined && announced > maxBytes) throw tooLarge(what, maxBytes);
  try {
    if (announced !== undefined) return new Uint8Array(await request.arrayBuffer());
    return await readStream(request, maxBytes, what);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("INTERRUPTED", `the sender went away before the end of ${what}`, { cause });
  }
}

async function readStream(
  request: Request,
  maxBytes: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    if (length > maxBytes) throw tooLarge(what, maxBytes);
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function tooLarge(what: string, maxBytes: number): AppError {
  return new AppError("TOO_LARGE", `${what} is larger than ${maxBytes} bytes`);
}
