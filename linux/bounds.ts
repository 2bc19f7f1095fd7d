/**
 * Refuses a length that does not lie within its buffer. Without this check the kernel would send, or overwrite,
 * whatever lies behind the buffer in this process's memory. It costs about a nanosecond.
 * @param length bytes that the kernel may touch
 * @throws {RangeError} NaN, negative, or more than the buffer holds
 */
export function checkLength(call: string, buffer: Uint8Array, length: number): void {
  // Written so that NaN and undefined are refused too: every comparison with them is false.
  if (!(length >= 0 && length <= buffer.length)) refuseLength(call, buffer, length);
}

/** Apart from the check, so that the check stays small enough to be inlined. */
function refuseLength(call: string, buffer: Uint8Array, length: number): never {
  throw new RangeError(
    `${call}: length ${length} must be between 0 and the buffer's ${buffer.length} bytes; ` +
      "the kernel would touch memory outside the buffer.",
  );
}
