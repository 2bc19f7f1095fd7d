/** Characters up to which a loop is faster than `Buffer.write`, and bytes up to which it is faster than `set`. */
const shortText = 64;
const shortCopy = 48;

/** Writes text at a place of a buffer, each character as one byte (Latin-1). Returns the place behind it. */
export function putText(buffer: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > shortText) buffer.write(text, at, "latin1");
  else for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
  return at + length;
}

/** Copies the bytes from `start` to `end` to a place of a buffer. Returns the place behind them. */
export function putBytes(buffer: Buffer, at: number, bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > shortCopy) buffer.set(bytes.subarray(start, end), at);
  else for (let i = 0; i < length; i++) buffer[at + i] = bytes[start + i]!;
  return at + length;
}
