/**
 * Distinguished Encoding Rules (X.690), the writing half, as far as a certificate needs it. Own code because the kept libraries for X.509 bring a
 * dozen packages for what is one fixed document; reading certificates is node:crypto's.
 */

function element(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError("a DER element over 65535 bytes has no use here");
  return Buffer.concat([Uint8Array.from(head), content]);
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(0x30, Buffer.concat(parts));
}

export function derSet(...parts: readonly Uint8Array[]): Uint8Array {
  return element(0x31, Buffer.concat(parts));
}

/** A non-negative integer, most significant byte first; without needless zeros, with one where the sign bit would be set. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? new Uint8Array(1) : bytes.subarray(first);
  return element(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([new Uint8Array(1), digits]) : digits);
}

export function derBoolean(value: boolean): Uint8Array {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** An object identifier from its dotted form. */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return element(0x06, Uint8Array.from(bytes));
}

export function derUtf8(text: string): Uint8Array {
  return element(0x0c, Buffer.from(text));
}

/** UTCTime to 2049 and GeneralizedTime from 2050, as RFC 5280 section 4.1.2.5 wants it. */
export function derTime(date: Date): Uint8Array {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}

export function derOctets(content: Uint8Array): Uint8Array {
  return element(0x04, content);
}

/** A bit string; `unusedBits` at its end do not count. */
export function derBits(content: Uint8Array, unusedBits = 0): Uint8Array {
  return element(0x03, Buffer.concat([Uint8Array.of(unusedBits), content]));
}

/** A context-specific tag: constructed around elements, or primitive over plain bytes. */
export function derTagged(
  number: number,
  kind: "constructed" | "primitive",
  content: Uint8Array,
): Uint8Array {
  return element(0x80 | (kind === "constructed" ? 0x20 : 0) | number, content);
}
