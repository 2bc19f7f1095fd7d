import type { Module } from "../config/module.ts";
import type { RequestParser } from "./parser.ts";

/** Lets connections go on after a response, as their clients wish. */
export function persistence(): Module {
  return {
    name: "persistence",
    setUpServer({ phases }) {
      phases.head.push((request, response) => {
        response.persists = wantsPersistence(request.head);
        return false;
      });
    },
  };
}

/** Whether a client wants to send another request: by default from HTTP/1.1 on, before that if it says so (RFC 9112 §9.3). */
function wantsPersistence({ framing, minorVersion }: RequestParser): boolean {
  if (framing.hasClose) return false;
  return minorVersion > 0 || framing.hasKeepAlive;
}
