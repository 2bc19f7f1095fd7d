import type { Module } from "../config/module.ts";
import type { RequestParser } from "./parser.ts";

/** Lets connections go on after a response, as their clients wish. */
export function persistence(): Module {
  return {
    name: "persistence",
    setUpServer({ phases }) {
      // TODO 1a: a handler of the head phase that sets `response.persists`, and answers nothing.
      todo(`1a: a handler behind ${phases.head.length} others that asks ${wantsPersistence.name}`);
    },
  };
}

/** Whether a client wants to send another request: by default from HTTP/1.1 on, before that if it says so (RFC 9112 §9.3). */
function wantsPersistence({ framing, minorVersion }: RequestParser): boolean {
  // TODO 1b
  return todo(`1b: HTTP/1.${minorVersion}, close: ${framing.hasClose}, keep-alive: ${framing.hasKeepAlive}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
