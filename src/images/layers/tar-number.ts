import { invalidLayer } from "./refuse.ts";

/**
 * A number field of a tar header: octal digits with spaces or NULs around them, nothing for 0, or base-256 (GNU) where the first bit is set.
 * Throws IMAGE_INVALID for anything else, and beyond 2^53.
 */
export function parseTarNumber(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if (first >= 0x80) return parseBase256(block, offset, length);
  const value = octalAt(block, offset, length);
  if (value === undefined) throw invalidLayer("a number in its header is not octal");
  return value;
}

/** Octal digits with spaces or NULs around them, nothing for 0; undefined for anything else. */
export function octalAt(block: Uint8Array, offset: number, length: number): number | undefined {
  let at = offset;
  let end = offset + length;
  while (at < end && isBlank(block[at])) at++;
  while (end > at && isBlank(block[end - 1])) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

/** A decimal number of a PAX record, with sign and fraction where asked for; rounded down to a whole one. Throws IMAGE_INVALID. */
export function parseDecimal(text: string, form: "count" | "time"): number {
  const isRight = form === "count" ? COUNT.test(text) : TIME.test(text);
  if (!isRight) throw invalidLayer(`${JSON.stringify(text.slice(0, 40))} in its PAX header is not a number`);
  const value = Math.floor(Number(text));
  // A negative fraction too small for a double's digits must still round down.
  const isBelow = form === "time" && text.startsWith("-") && value === Number(text) && /\.0*[1-9]/.test(text);
  const whole = isBelow ? value - 1 : value;
  if (!Number.isSafeInteger(whole)) throw invalidLayer("a number in its PAX header is beyond 2^53");
  return whole === 0 ? 0 : whole;
}

const COUNT = /^[0-9]{1,20}$/;
const TIME = /^-?[0-9]{1,20}(?:\.[0-9]{0,40})?$/;

/** Big-endian two's complement; the first bit marks the form, the second is the sign. */
function parseBase256(block: Uint8Array, offset: number, length: number): number {
  const isNegative = ((block[offset] ?? 0) & 0x40) !== 0;
  let value = isNegative ? -1n : 0n;
  value = (value << 6n) | BigInt((block[offset] ?? 0) & 0x3f);
  for (let at = offset + 1; at < offset + length; at++) value = (value << 8n) | BigInt(block[at] ?? 0);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalidLayer("a number in its header is beyond 2^53");
  return number;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}
