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
  const types = modules.flatMap(({ name, routeType }) =>
    routeType === undefined ? [] : [{ name, ...routeType }],
  );
  const options = types.map(({ name, type, keys }) =>
    z.strictObject(
      joinKeys("route", [{ name, routeKeys: keys }, ...modules], ({ routeKeys }) => routeKeys, {
        req_path: text(requestPathProblem).describe(
          "The path that the route takes, with all that lies below it: /api takes /api and /api/x, but not /api2.",
        ),
        type: z.literal(type).describe("What is done with the requests."),
      }),
    ),
  );
  const [first, ...others] = options;
  if (first === undefined) throw new Error("no module brings a type of route");
  return z.discriminatedUnion("type", [first, ...others]);
}

function joinKeys<Base extends Keys>(
  place: string,
  modules: readonly Module[],
  keysOf: (module: Module) => Keys | undefined,
  base: Base,
): Base {
  const joined: Record<string, Keys[string]> = { ...base };
  for (const module of modules) {
    for (const [key, value] of Object.entries(keysOf(module) ?? {})) {
      if (key in joined)
        throw new Error(`the module ${module.name} brings the key ${key} of a ${place} a second time`);
      joined[key] = value;
    }
  }
  return joined as Base;
}

/** A text that is looked at by a function, which returns what is wrong. */
function text(problemOf: (text: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}
