import { isNumericAddress } from "expserver-course/linux";
import type { UpstreamAddress } from "../network/upstream.ts";

/** Names as they stand in DNS and in /etc/hosts. */
const name = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;

/**
 * Reads `host:port`, with an IPv6 address in brackets.
 * @returns `undefined` when it is something else
 */
export function parseUpstream(text: string): UpstreamAddress | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):([1-9]\d{0,4})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) return undefined;
  const isHost = bracketed === undefined ? name.test(host) : host.includes(":") && isNumericAddress(host);
  return isHost ? { host, port: Number(port) } : undefined;
}
