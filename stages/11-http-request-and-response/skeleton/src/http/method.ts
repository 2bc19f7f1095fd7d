/** Methods that are registered for general use (RFC 9110 §9, RFC 5789). */
const known = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);

/**
 * Whether a server knows a method: one that it does not allow is answered by 405, one that it does not know by 501
 * (RFC 9110 §9.1).
 */
export function isKnownMethod(method: string): boolean {
  return known.has(method);
}
