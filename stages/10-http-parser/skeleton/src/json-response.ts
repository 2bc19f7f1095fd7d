/** Phrases of the statuses that this stage answers by (RFC 9110 §15). */
const phrases: Record<number, string> = {
  200: "OK",
  400: "Bad Request",
  414: "URI Too Long",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  505: "HTTP Version Not Supported",
};

/**
 * A whole response with a JSON body, as bytes.
 * @param isLast whether the connection ends behind it
 */
export function jsonResponse(status: number, value: unknown, isLast: boolean): Uint8Array {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  const head = [
    `HTTP/1.1 ${status} ${phrases[status] ?? ""}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...(isLast ? ["Connection: close"] : []),
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}
