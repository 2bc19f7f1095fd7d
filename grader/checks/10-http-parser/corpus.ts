/** Requests of the corpus, delivered in pieces, and what the program makes of them. */
import { isDeepStrictEqual } from "node:util";
import type { InvalidRequest, ParsedHead, ValidRequest } from "../../corpora/http/request-case.ts";
import type { CheckContext } from "../../engine/context.ts";
import { CheckFailure, count, quote } from "../../engine/evidence.ts";
import { type HttpResponse, readResponse } from "../../engine/http-response.ts";
import type { Program } from "../../engine/program.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { letCome } from "../general/lines.ts";

export type Entry = ValidRequest | InvalidRequest;

/** Where each piece of a request ends. */
export type Cut = (bytes: Buffer, context: CheckContext) => number[];

/** In one piece. */
export const whole: Cut = ({ length }) => [length];

/** Each byte alone. */
export const byteByByte: Cut = ({ length }) => Array.from({ length }, (_, index) => index + 1);

/** Cut at 20 places, by the run's seed. */
export const inPieces: Cut = ({ length }, { random }) => {
  const ends = Array.from({ length: 20 }, () => random.integer(1, length));
  return [...new Set([...ends, length])].sort((a, b) => a - b);
};

/** Connections that are open at the same time. */
const together = 100;

/**
 * Delivers each entry on a connection of its own, many at a time, and compares the answers.
 * @throws CheckFailure naming the first entry that is understood otherwise
 */
export async function expectUnderstood(
  context: CheckContext,
  entries: readonly Entry[],
  cut: Cut = whole,
): Promise<void> {
  const server = await context.start();
  for (let first = 0; first < entries.length; first += together) {
    await deliver(context, server, entries.slice(first, first + together), cut);
  }
}

async function deliver(
  context: CheckContext,
  server: Program,
  entries: readonly Entry[],
  cut: Cut,
): Promise<void> {
  const clients: TcpPeer[] = [];
  await letCome(entries.length, async (index) => {
    clients[index] = await context.connect(server);
  });
  const requests = entries.map((entry) => Buffer.from(entry.bytes, "latin1"));
  const cuts = requests.map((bytes) => cut(bytes, context));
  const rounds = Math.max(...cuts.map(({ length }) => length));
  for (let round = 0; round < rounds; round++) {
    for (const [index, client] of clients.entries()) {
      const end = cuts[index]![round];
      // Who has its answer already is refused, and sends nothing more: the connection may be closed.
      if (end === undefined || client.over || client.unread().length > 0) continue;
      client.send(requests[index]!.subarray(cuts[index]![round - 1] ?? 0, end));
    }
    // The pieces leave, and the program has a chance to read each alone. That it does is nothing to rely on.
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [index, entry] of entries.entries()) {
    const pieces = cuts[index]!.length;
    const how =
      pieces === 1
        ? ""
        : `, in ${count(pieces, "piece")}${pieces < 30 ? ` that end at ${cuts[index]!.join(", ")}` : ""}`;
    await expectAnswer(clients[index]!, entry, how);
    clients[index]!.close();
  }
}

/** Compares one answer. */
async function expectAnswer(client: TcpPeer, entry: Entry, how: string): Promise<void> {
  const isValid = "expected" in entry;
  const wanted = isValid
    ? `200 and ${JSON.stringify(entry.expected).slice(0, 600)}`
    : `${[entry.status].flat().join(" or ")}, and the end of the connection`;
  const wrong = (observed: string, at?: number): never => {
    throw new CheckFailure({
      summary: `${isValid ? "a well-formed" : "a malformed"} request is not understood as it should be: ${entry.name}`,
      expected: `${wanted} (${entry.source})`,
      observed: `${observed}\nsent${how}:\n${withCaret(entry.bytes, at)}`,
    });
  };
  let response: HttpResponse;
  try {
    response = await readResponse(client, { what: entry.name });
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    return wrong(`${error.evidence.summary}: ${error.evidence.observed}`);
  }
  const text = response.body.toString().trim();
  if (!isValid) {
    if (![entry.status].flat().includes(response.status))
      wrong(`${response.status} and ${text.slice(0, 300)}`);
    try {
      await client.expectEnd({ reset: true, why: "although the request was refused" });
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      wrong(`${response.status}, then ${error.evidence.observed}`);
    }
    return;
  }
  if (response.status !== 200) wrong(`${response.status} and ${text.slice(0, 300)}`);
  const observed = parseAnswer(text);
  if (observed === undefined) return wrong(`200 and a body that is no JSON object: ${text.slice(0, 300)}`);
  for (const key of Object.keys(entry.expected) as (keyof ParsedHead)[]) {
    if (isDeepStrictEqual(observed[key], entry.expected[key])) continue;
    const value = entry.expected[key];
    const place = placeOf(value, observed[key], entry.bytes);
    const said =
      observed[key] === undefined ? "is missing" : `is ${JSON.stringify(observed[key]).slice(0, 300)}`;
    wrong(`200, but "${key}" ${said}`, place === -1 ? undefined : place);
  }
}

/** Where in the request the part lies that was understood otherwise, or -1. */
function placeOf(expected: ParsedHead[keyof ParsedHead], observed: unknown, bytes: string): number {
  if (typeof expected === "string") return expected === "" ? -1 : bytes.indexOf(expected);
  if (expected === null) return -1;
  const seen = Array.isArray(observed) ? observed : [];
  const field = expected.findIndex((each, index) => !isDeepStrictEqual(each, seen[index]));
  // Behind the fields that are right: the same name or value may stand there too.
  let from = bytes.indexOf("\n");
  for (const [name] of expected.slice(0, field)) from = bytes.indexOf("\n", bytes.indexOf(name, from));
  return field === -1 ? -1 : bytes.indexOf(expected[field]![0], from);
}

/** The object of an answer's body. */
export function parseAnswer(text: string): Partial<Record<keyof ParsedHead, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of a request that are shown. */
const shown = 200;

/** The bytes as a text with escapes, and a caret below the one at `at`. */
export function withCaret(bytes: string, at: number | undefined): string {
  const raw = Buffer.from(bytes, "latin1");
  const from = at === undefined ? 0 : Math.max(0, at - shown / 2);
  const text = `${quote(raw.subarray(from), shown)} (${count(raw.length, "byte")})`;
  if (at === undefined) return text;
  return `${text}\n${" ".repeat(quote(raw.subarray(from, at), shown).length - 1)}^ byte ${at}`;
}
