import { fail, portFrom } from "./command-line.ts";
import type { UpstreamAddress } from "./network/upstream.ts";

/** The address in `localhost:3000` or `[::1]:3000`. Ends the program with status 2 when it is none. */
export function upstreamFrom(text: string, usage: string): UpstreamAddress {
  const [, ipv6, name, portText] = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+)):(\d+)$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = portFrom(portText ?? "");
  if (host === undefined || port === undefined) {
    fail(2, `"${text}" is not an upstream like 127.0.0.1:3000 or [::1]:3000; usage: ${usage}`);
  }
  return { host, port };
}
