/** For each byte value 1 when it belongs to a set, else 0: one array read instead of comparisons. */
export type ByteSet = Uint8Array;

function byteSet(belongs: (byte: number) => boolean): ByteSet {
  return Uint8Array.from({ length: 256 }, (_, byte) => (belongs(byte) ? 1 : 0));
}

const isVisible = (byte: number) => byte > 0x20 && byte < 0x7f;
const oneOf = (characters: string) => (byte: number) => characters.includes(String.fromCharCode(byte));
const isAlphanumeric = (byte: number) => /[0-9A-Za-z]/.test(String.fromCharCode(byte));

/** `tchar`: methods, field names, codings (RFC 9110 §5.6.2). */
export const tokenBytes = byteSet((byte) => isAlphanumeric(byte) || oneOf("!#$%&'*+-.^_`|~")(byte));

/** What may stand in a field value: visible characters, space, tab and bytes from 0x80 on (RFC 9110 §5.5). */
export const valueBytes = byteSet(
  (byte) => isVisible(byte) || byte === 0x20 || byte === 0x09 || byte >= 0x80,
);

/** What may stand in a request line. Controls and bytes from 0x80 on are no part of a target (RFC 3986 §2). */
export const requestLineBytes = byteSet((byte) => isVisible(byte) || byte === 0x20);

/**
 * What may stand in a request target. Wider than RFC 3986 by the characters that browsers leave as they are in a
 * query (`"<>\^`{|}`), which nobody confuses with anything; a fragment is never sent, so `#` is a mistake.
 */
export const targetBytes = byteSet((byte) => isVisible(byte) && byte !== 0x23);

/** A host without brackets: `reg-name` (RFC 3986 §3.2.2). */
export const hostBytes = byteSet((byte) => isAlphanumeric(byte) || oneOf("-._~%!$&'()*+,;=")(byte));

/** Byte values with A–Z as a–z. */
export const lowerCase: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);
