import { z } from "expserver-course/zod";
import type { Keys, MainConfig, Module } from "./module.ts";
import { hostnameProblem, listenerHostProblem, requestPathProblem } from "./names.ts";
import type { SchemaNode } from "./schema-node.ts";

/**
 * What a configuration has to look like. Objects are strict: a key that nobody knows is an error, not ignored.
 * @param modules their keys stand beside those that every configuration has
 */
export function configSchema(modules: readonly Module[]): z.ZodType<MainConfig> {
  const listener = z
    .strictObject(
      joinKeys("listener", modules, ({ listenerKeys }) => listenerKeys, {
        host: text(listenerHostProblem).describe("The numeric IPv4 or IPv6 address to listen on."),
        port: z.int().min(1).max(65535).describe("The TCP port to listen on, from 1 to 65535."),
      }),
    )
    .describe(
      "An address to listen on. Servers may share one: the request's host then tells which is meant.",
    );
  const server = z
    .strictObject(
      joinKeys("server", modules, ({ serverKeys }) => serverKeys, {
        listeners: z.array(listener).min(1).describe("The addresses to listen on."),
        hostnames: z
          .array(text(hostnameProblem))
          .default([])
          .describe(
            'The names it is asked for by, such as "example.org" or "*.example.org". Empty: every name.',
          ),
        routes: z
          .array(routeSchema(modules))
          .min(1)
          .describe(
            "What is done with which paths. Of the routes that match, the one with the longest req_path counts.",
          ),
      }),
    )
    .describe("A server: routes under certain names on certain addresses.");
  const main = z.strictObject(
    joinKeys("configuration", modules, ({ mainKeys }) => mainKeys, {
      $schema: z
        .string()
        .optional()
        .describe("Where editors find the JSON Schema of this file. The server ignores it."),
      server_name: z
        .string()
        .regex(
          /^[\w!#$%&'*+.^`|~-]+(\/[\w!#$%&'*+.^`|~-]+)?$/,
          'has to be a product name such as "eXpServer" or "eXpServer/1.0"',
        )
        .default("eXpServer")
        .describe("What the server calls itself in the Server field of its responses."),
      servers: z.array(server).min(1).describe("The servers."),
    }),
  );
  return main as unknown as z.ZodType<MainConfig>;
}

/** The same as a JSON Schema (2020-12), by which editors complete and check while one types. */
export function jsonSchema(modules: readonly Module[]): SchemaNode {
  const schema = z.toJSONSchema(configSchema(modules), {
    io: "input",
    // zod's bounds of whole numbers, which tell nobody anything
    override: ({ jsonSchema: node }) => {
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
    },
  });
  const { $schema, ...rest } = schema;
  return { $schema, title: "Configuration of eXpServer", ...rest } as SchemaNode;
}

/** Routes differ by their type; every one has the keys that modules give to all. */
function routeSchema(modules: readonly Module[]) {
  // TODO 2c: a strict object for each module that has a routeType: req_path, type with just this value, the keys of the type and the
  // routeKeys of all modules. A discriminated union of them by `type`.
  return todo(
    `2c: the routes of ${modules.length} modules, with ${requestPathProblem.name} and ${joinKeys.name}`,
  ) as z.ZodType;
}

function joinKeys<Base extends Keys>(
  place: string,
  modules: readonly Module[],
  keysOf: (module: Module) => Keys | undefined,
  base: Base,
): Base {
  // TODO 2b: the base's keys, and behind them those of each module. A key that is there already is a fault of ours: throw an Error
  // that names module, key and place.
  return todo(
    `2b: the keys of a ${place} of ${modules.length} modules, by ${keysOf.name}, and ${Object.keys(base)}`,
  );
}

/** A text that is looked at by a function, which returns what is wrong. */
function text(problemOf: (text: string) => string | undefined) {
  // TODO 2a: a zod string that adds an issue, {code: "custom", message}, when the function returns a problem.
  return todo(`2a: a text that ${problemOf.name} looks at`) as z.ZodString;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
