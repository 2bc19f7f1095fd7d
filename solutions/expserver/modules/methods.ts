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
  if (request.head.method === "TRACE") {
    response.fields.set("Allow", everywhere);
    response.sendError(405);
    return true;
  }
  if (request.path !== "*") return false;
  response.fields.set("Allow", everywhere);
  response.status = 204;
  response.send();
  return true;
}

/** Content that does not allow OPTIONS says which methods it does allow, and that is the answer to OPTIONS. */
function answerForContent(request: Request, response: Response): void {
  const allowed = response.status === 405 ? response.fields.get("Allow") : undefined;
  if (allowed === undefined) return;
  response.fields.set("Allow", `${allowed}, OPTIONS`);
  if (request.head.method !== "OPTIONS") return;
  response.fields.delete("Content-Type");
  response.status = 204;
  response.dropBody();
}
