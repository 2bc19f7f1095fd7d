import { FieldName } from "../http/fields.ts";
import type { ProxyFeature } from "../http/proxy-exchange.ts";
import type { Request } from "../http/request.ts";
import type { Response } from "../http/response.ts";
import type { ResponseParser } from "../http/response-parser.ts";
import { relay } from "../network/relay.ts";
import type { TcpConnection } from "../network/tcp.ts";

const upgradeName = new FieldName("upgrade");

/**
 * Lets clients change to another protocol with an upstream (RFC 9110 §7.8): WebSocket. When the upstream agrees by 101, what
 * either side sends from then on goes to the other one as it is; when it does not, its answer is one as any other.
 *
 * No other protocol passes. Behind `h2c`, for one, a client could send requests that nobody here sees.
 * @param protocols in lower case, without a version
 */
export function upgrade(protocols: readonly string[] = ["websocket"]): ProxyFeature {
  return {
    writeRequestFields(request, head) {
      const protocol = requested(request, protocols);
      if (protocol !== undefined) head.text(`Connection: upgrade\r\nUpgrade: ${protocol}\r\n`);
    },
    onSwitch(request, response, head, upstream, rest) {
      const protocol = requested(request, protocols);
      // Unasked, or to something else: then nobody knows what the bytes that follow mean.
      if (protocol === undefined || chosen(head)?.toLowerCase() !== protocol.toLowerCase()) return false;
      response.fields.add("Connection", "upgrade");
      response.fields.add("Upgrade", protocol);
      join(request, response, upstream, rest);
      return true;
    },
  };
}

/** The protocol that a request asks for, if it is the only one and one of these. */
function requested({ head, hasBody }: Request, protocols: readonly string[]): string | undefined {
  if (!head.framing.hasUpgrade || head.minorVersion === 0 || hasBody) return undefined;
  const protocol = head.fields.get(upgradeName);
  return protocol !== undefined && protocols.includes(protocol.toLowerCase()) ? protocol : undefined;
}

/** The protocol that an answer changes to. */
function chosen({ framing, fields }: ResponseParser): string | undefined {
  return framing.hasUpgrade ? fields.get(upgradeName) : undefined;
}

/** Sends the answer, and from then on each side what the other one says, beginning with what has come already. */
function join(request: Request, response: Response, upstream: TcpConnection, rest: Uint8Array): void {
  const client = response.connection;
  const early = request.source.detach();
  response.isCorked = false;
  response.send();
  relay(client, upstream);
  if (early.length > 0 && !upstream.write(early)) client.pause();
  if (rest.length > 0 && !client.write(rest)) upstream.pause();
  // Its end came while the upstream was asked, and is told once only.
  if (client.hasPeerEnded) upstream.end();
}
