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
  // TODO 3a: 417 for what is neither nothing nor `100-continue`.
  return todo(`3a: ${expectationOf(request)}, answered: ${response.isSent}`);
}

function tellToGoOn(request: Request, response: Response): void {
  // TODO 3b: 100, if the client waits for it. `response.isCorked` tells that bytes lie behind the head.
  todo(`3b: ${expectationOf(request)}, more bytes: ${response.isCorked}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
