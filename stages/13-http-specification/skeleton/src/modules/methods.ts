import type { Module } from "../config/module.ts";
import type { Request } from "../http/request.ts";
import type { Response } from "../http/response.ts";

/** What a server does with requests for no content in particular. */
const everywhere = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

/** Answers OPTIONS (RFC 9110 §9.3.7), and refuses TRACE, by which a page could read what its browser keeps from it. */
export function methods(): Module {
  return {
    name: "methods",
    setUpServer({ phases }) {
      phases.head.push(answerForServer);
    },
    setUpRoute({ route }) {
      route.filters.push(answerForContent);
    },
  };
}

function answerForServer(request: Request, response: Response): boolean {
  // TODO 4a: TRACE is 405. A request for `*`, which only OPTIONS may be, is about the whole server: 204. Both tell `everywhere` in Allow.
  return todo(`4a: ${request.head.method} ${request.path}, answered: ${response.isSent}; ${everywhere}`);
}

/** Content that does not allow OPTIONS says which methods it does allow, and that is the answer to OPTIONS. */
function answerForContent(request: Request, response: Response): void {
  // TODO 4b: a filter. Only a 405 with Allow is of interest: it gets OPTIONS as one more method; and if OPTIONS was asked, it becomes a 204 without body.
  if (response.status === 405) todo(`4b: ${request.head.method}, Allow: ${response.fields.get("Allow")}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
