/** Servers that read a configuration. */
import { mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import type { CheckContext } from "../../engine/context.ts";
import { assert, quote } from "../../engine/evidence.ts";
import { type HttpResponse, type ReadOptions, readResponse } from "../../engine/http-response.ts";
import type { Program } from "../../engine/program.ts";

/** A configuration, as JSON has it. */
export type Configuration = Record<string, unknown>;

/** A server with what it was started with. */
export type ConfiguredServer = { server: Program; ports: number[]; folder: string; file: string };

export type ServeOptions = {
  /** How many ports the configuration needs. */
  portCount?: number;
  /** Files below the configuration's folder, by their paths. */
  files?: Record<string, string | Uint8Array>;
  cwd?: string;
};

/** Writes a configuration into a new folder, with files beside it. */
export function writeConfiguration(
  context: CheckContext,
  configuration: Configuration | string,
  files: ServeOptions["files"] = {},
): { folder: string; file: string } {
  const folder = context.folder();
  const file = join(folder, "xps-config.json");
  const text = typeof configuration === "string" ? configuration : JSON.stringify(configuration, null, 2);
  for (const [path, content] of Object.entries({ "xps-config.json": text, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return { folder, file };
}

/**
 * Starts the program with a configuration and waits until it listens.
 * @param configure gets as many free ports as asked for; relative paths in it are relative to the folder of its file
 */
export async function serve(
  context: CheckContext,
  configure: (ports: number[]) => Configuration,
  { portCount = 1, files, cwd }: ServeOptions = {},
): Promise<ConfiguredServer> {
  const ports: number[] = [];
  while (ports.length < portCount) ports.push(await context.freePort());
  const { folder, file } = writeConfiguration(context, configure(ports), files);
  // In the folder of the configuration, so that who takes relative paths from the working directory fails one check and not all.
  const ownFolder = context.plan.program.language === "typescript" ? folder : undefined;
  const server = await context.start({ ports, allArgs: [file], cwd: cwd ?? ownFolder });
  return { server, ports, folder, file };
}

export type AskOptions = ReadOptions & {
  host?: string;
  /** The address to connect to. */
  address?: string;
  /** More lines of the head. */
  headers?: string[];
  body?: string | Uint8Array;
  version?: string;
};

/** Sends one request on a connection of its own and reads the response. */
export async function ask(
  context: CheckContext,
  port: number,
  line: string,
  { host = "localhost", address, headers = [], body = "", version = "HTTP/1.1", ...options }: AskOptions = {},
): Promise<HttpResponse> {
  const client = await context.connect({ port, host: address });
  const head = [`${line} ${version}`, `Host: ${host}`, "Connection: close", ...headers].join("\r\n");
  client.send(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), Buffer.from(body)]));
  const toHead = line.startsWith("HEAD ");
  const response = await readResponse(client, { what: line, toHead, ...options });
  await client.expectEnd({
    reset: true,
    why: `after the answer to ${line}, although the request said Connection: close`,
  });
  client.close();
  return response;
}

/** Fails unless a response has this status. */
export function expectStatusOf(response: HttpResponse, status: number, request: string): void {
  assert(response.status === status, {
    summary: `${request} is answered by ${response.status} and not by ${status}`,
    expected: `HTTP/1.1 ${status}`,
    observed: quote(Buffer.from(response.head, "latin1"), 400),
  });
}

/** Fails unless a field of a response has this value, or fits; with `undefined`, unless it has no such field. */
export function expectField(
  response: HttpResponse,
  name: string,
  expected: string | RegExp | undefined,
  request: string,
): void {
  const value = response.field(name);
  const fits = expected instanceof RegExp ? value !== undefined && expected.test(value) : value === expected;
  assert(fits, {
    summary: `the answer to ${request} has ${value === undefined ? `no ${name}` : `another ${name}`}`,
    expected: expected === undefined ? `no field ${name}` : `${name}: ${expected}`,
    observed: quote(Buffer.from(response.head, "latin1"), 600),
  });
}

/** Whether this machine has the IPv6 loopback address. */
export function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
}
