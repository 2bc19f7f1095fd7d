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
      // TODO 12a: Connection and Upgrade, which the proxy has dropped, for a protocol that we let pass.
      const protocol = requested(request, protocols);
      if (protocol !== undefined) todo(`12a: ${protocol} into ${head.length} bytes`);
    },
    onSwitch(request, response, head, upstream, rest) {
      // TODO 12b: false unless the upstream chose what was requested. Else the two fields, and `join`.
      return todo(
        `12b: ${requested(request, protocols)}, ${chosen(head)}, ${[response, upstream, rest, join]}`,
      );
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
  // TODO 12c: the session lets go (`request.source.detach()` returns what it has read too early), the head leaves, `relay` joins the two. What
  // has been read on either side belongs to the other. And a client may have ended already.
  todo(`12c: ${[request.source, response.connection, upstream, rest, relay]}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
