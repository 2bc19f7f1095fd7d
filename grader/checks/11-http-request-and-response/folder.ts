/** A server of files, and requests to it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count, quote } from "../../engine/evidence.ts";
import type { HttpResponse } from "../../engine/http-response.ts";
import type { Program } from "../../engine/program.ts";
import { type AskOptions, ask, expectField, expectStatusOf } from "../general/configured.ts";

/** A server, the folder that it serves, and a way to ask it. */
export type FolderServer = {
  server: Program;
  root: string;
  /** Sends one request on a connection of its own: `GET /a`. */
  ask: (line: string, options?: AskOptions) => Promise<HttpResponse>;
};

/**
 * Starts the program with a folder of the check's own to serve.
 * @param fill puts files into it before the start
 */
export async function serveFolder(
  context: CheckContext,
  fill: (root: string) => void,
): Promise<FolderServer> {
  if (context.plan.program.ports === "fixed") {
    context.skip("course.json says that the programs take no arguments, so none can name a folder to serve");
  }
  const root = join(context.folder(), "public");
  mkdirSync(root);
  fill(root);
  const server = await context.start({ args: ["--root", root] });
  return {
    server,
    root,
    ask: (line, options) => ask(context, server.port, line, options),
  };
}

/** Fails unless a request is answered by 200 and these bytes. */
export async function expectContent(
  { ask }: FolderServer,
  line: string,
  expected: Uint8Array | string,
  options?: AskOptions,
): Promise<HttpResponse> {
  const response = await ask(line, options);
  expectStatusOf(response, 200, line);
  const wanted = Buffer.from(expected);
  const at = firstDifference(response.body, wanted);
  assert(response.body.equals(wanted), {
    summary: `the body of the answer to ${line} is not the file`,
    expected: `${count(wanted.length, "byte")}, the same as in the file`,
    observed: `${count(response.body.length, "byte")}, other than in the file from offset ${at} on: ${quote(response.body.subarray(at, at + 32))} instead of ${quote(wanted.subarray(at, at + 32))}`,
  });
  return response;
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  let at = 0;
  while (at < one.length && at < other.length && one[at] === other[at]) at++;
  return at;
}

/** Fails unless an error is answered by its status and a short page about it. */
export function expectErrorPage(response: HttpResponse, status: number, request: string): void {
  expectStatusOf(response, status, request);
  expectField(response, "Content-Type", /^text\/html(;|$)/i, request);
  const page = response.body.toString();
  assert(response.body.length > 0 && response.body.length <= 4096 && /<\w/.test(page), {
    summary: `the answer to ${request} has no page for the person who asked`,
    expected: "a short HTML page, up to 4 KiB",
    observed: `${count(response.body.length, "byte")}: ${quote(response.body, 200)}`,
  });
  assert(!/<script/i.test(page), {
    summary: `the page about ${request} runs what the request said as a script`,
    expected: "a page in which < of the request stands as &lt;, or nothing of the request at all",
    observed: quote(response.body, 400),
  });
}

/** Tries something that asks the server, until it is so or the time is over. Resolves to whether it came to be so. */
export async function eventually(
  context: CheckContext,
  withinMs: number,
  attempt: () => Promise<boolean>,
): Promise<boolean> {
  const end = performance.now() + context.deadline(withinMs).limitMs;
  while (performance.now() < end) {
    if (await attempt()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
