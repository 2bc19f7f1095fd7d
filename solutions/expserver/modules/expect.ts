import type { Module } from "../config/module.ts";
import { FieldName } from "../http/fields.ts";
import type { Request } from "../http/request.ts";
import type { Response } from "../http/response.ts";

const expectName = new FieldName("expect");

/**
 * Keeps what clients expect (RFC 9110 §10.1.1). With `Expect: 100-continue` a client waits before it sends its body: it is told
 * to go on as soon as somebody wants the body, and otherwise by the answer that it need not. Nobody knows any other expectation.
 */
export function expectations(): Module {
  return {
    name: "expect",
    setUpServer({ phases }) {
      phases.head.push(refuseUnknown);
      phases.bodyWanted.push(tellToGoOn);
    },
  };
}

/** What the client expects, in lower case. HTTP/1.0 has no expectations: whoever forwards for such a client lets them through. */
function expectationOf({ head }: Request): string | undefined {
  return head.minorVersion === 0 ? undefined : head.fields.get(expectName)?.toLowerCase();
}

function refuseUnknown(request: Request, response: Response): boolean {
  const expectation = expectationOf(request);
  if (expectation === undefined || expectation === "100-continue") return false;
  response.sendError(417, "This server knows no expectation but 100-continue.");
  return true;
}

function tellToGoOn(request: Request, response: Response): void {
  // Bytes that came with the head say that the client has not waited.
  if (expectationOf(request) !== undefined && !response.isCorked) response.sendInterim(100);
}
