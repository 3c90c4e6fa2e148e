import { AppError } from "#core";

/** The error of a layer that cannot be unpacked as it is. */
export function invalidLayer(why: string): AppError {
  return new AppError("IMAGE_INVALID", why);
}

/** The error of a layer that asks for more than a limit; `limit` is the number's name in `LayerLimits`. */
export function overLimit(why: string, limit: string): AppError {
  return new AppError("TOO_LARGE", why, { details: { limit } });
}

/** A name out of an image, for a message: latin1 bytes read as the UTF-8 they mostly are, quoted, and not long. */
export function shownName(name: string): string {
  const text = Buffer.from(name, "latin1").toString("utf8");
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
