import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "expserver-course/zod";
import { afterEach, describe, expect, it } from "vitest";
import { parseConfig, readConfig } from "./config.ts";
import { InvalidConfig } from "./config-error.ts";
import type { Module } from "./module.ts";
import { jsonSchema } from "./schema.ts";

const modules: Module[] = [
  {
    name: "files",
    routeType: { type: "file_serve", keys: { dir_path: z.string().min(1).describe("The folder.") } },
    routeKeys: { gzip_level: z.int().min(1).max(9).default(6).describe("How hard to press.") },
  },
  {
    name: "proxy",
    routeType: {
      type: "reverse_proxy",
      keys: {
        upstreams: z
          .array(
            z.union([
              z.string().regex(/:/, 'has to be an address such as "127.0.0.1:3000"'),
              z.strictObject({ address: z.string(), weight: z.int().min(1).default(1) }),
            ]),
          )
          .min(1)
          .describe("Whom to ask."),
      },
    },
  },
  {
    name: "rest",
    mainKeys: {
      workers: z
        .union([z.literal("auto"), z.int().min(1)])
        .default("auto")
        .describe("Processes."),
    },
    serverKeys: { max_body_bytes: z.int().default(5).describe("Bytes.") },
    listenerKeys: { tls: z.boolean().default(false).describe("Encrypted.") },
  },
];

const route = { req_path: "/", type: "file_serve", dir_path: "public" };
const listener = { host: "127.0.0.1", port: 8001 };
const server = { listeners: [listener], routes: [route] };

/** The lines that tell what is wrong with a configuration, without the file's name. */
function complaints(configuration: unknown): string[] {
  const text = typeof configuration === "string" ? configuration : JSON.stringify(configuration, null, 2);
  try {
    parseConfig("xps.json", text, modules);
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    return error.message.split("\n");
  }
  return [];
}

/** The same without line and column. */
const problems = (configuration: unknown) =>
  complaints(configuration).map((line) => line.replace(/^xps\.json:\d+:\d+: /, ""));
const problemsOfServer = (change: object) =>
  problems({ servers: [{ ...server, ...change }] }).map((line) => line.replace(/^servers\[0\]\.?/, ""));
const problemsOfRoute = (change: object) => problemsOfServer({ routes: [{ ...route, ...change }] });
const problemsOfListener = (change: object) => problemsOfServer({ listeners: [{ ...listener, ...change }] });

describe("parseConfig", () => {
  it("takes a good configuration and fills in defaults, those of modules too", () => {
    const { values } = parseConfig("xps.json", JSON.stringify({ servers: [server] }), modules);
    expect(values).toEqual({
      server_name: "eXpServer",
      workers: "auto",
      servers: [
        {
          listeners: [{ ...listener, tls: false }],
          hostnames: [],
          max_body_bytes: 5,
          routes: [{ ...route, gzip_level: 6 }],
        },
      ],
    });
  });

  it("takes every way to write a good value", () => {
    expect(
      problems({
        $schema: "./schema.json",
        server_name: "me/1.0",
        servers: [
          {
            listeners: [listener, { host: "::", port: 1 }, { host: "0.0.0.0", port: 65535 }],
            hostnames: [
              "a",
              "Example.ORG",
              "*.x.de",
              "127.0.0.1",
              "[::1]",
              "xn--mnchen-3ya.de",
              "a_b.local",
              "123",
            ],
            routes: ["/", "/a/", "/a", "/%C3%A9", "/a%2Fb", "//x", "/a/.b", "/..."].map((req_path) => ({
              ...route,
              req_path,
            })),
          },
        ],
      }),
    ).toEqual([]);
  });

  it("tells everything that is wrong, in the order of the file, with line and column", () => {
    const text = [
      "{",
      '  "sever_name": "x",',
      '  "servers": [',
      '    { "routes": [ { "type": "file_serve", "req_path": "api" } ],',
      '      "listeners": [ { "host": "localhost", "port": "80" } ] },',
      '    { "listeners": [], "routes": 3 }',
      "  ],",
      '  "workers": "many"',
      "}",
    ].join("\n");
    expect(complaints(text)).toEqual([
      "xps.json:2:3: sever_name: unknown key; did you mean server_name?",
      "xps.json:4:19: servers[0].routes[0].dir_path: is missing. The folder.",
      'xps.json:4:43: servers[0].routes[0].req_path: has to begin with a slash, not "api"',
      'xps.json:5:24: servers[0].listeners[0].host: has to be a numeric address, such as 127.0.0.1 or ::1 (this machine only), 0.0.0.0 or :: (all of its addresses), not "localhost"',
      'xps.json:5:45: servers[0].listeners[0].port: has to be a whole number, not "80"',
      "xps.json:6:7: servers[1].listeners: is empty; it has to have at least one entry",
      "xps.json:6:24: servers[1].routes: has to be a list, not 3",
      'xps.json:8:3: workers: has to be "auto" or a whole number, not "many"',
    ]);
  });

  it("says line and column where the text is no JSON", () => {
    expect(complaints('{\n  "servers": [}\n')).toEqual([
      "xps.json:2:15: not JSON: found } where a value has to stand",
    ]);
  });

  it("says what a value has to be and what it is", () => {
    expect(problems(3)).toEqual(["has to be an object, not 3"]);
    expect(problems({})).toEqual(["servers: is missing. The servers."]);
    expect(problems({ servers: {} })).toEqual(["servers: has to be a list, not an object"]);
    expect(problems({ servers: [[]] })).toEqual(["servers[0]: has to be an object, not a list"]);
    expect(problems({ servers: [server], server_name: "a b" })).toEqual([
      'server_name: has to be a product name such as "eXpServer" or "eXpServer/1.0", not "a b"',
    ]);
    expect(problems({ servers: [server], workers: 0 })).toEqual(["workers: has to be at least 1, not 0"]);
    expect(problemsOfListener({ port: 0 })).toEqual(["listeners[0].port: has to be at least 1, not 0"]);
    expect(problemsOfListener({ port: 65536 })).toEqual([
      "listeners[0].port: has to be at most 65535, not 65536",
    ]);
    expect(problemsOfListener({ port: 80.5 })).toEqual([
      "listeners[0].port: has to be a whole number, not 80.5",
    ]);
    expect(problemsOfListener({ port: null })).toEqual([
      "listeners[0].port: has to be a whole number, not null",
    ]);
    expect(problemsOfRoute({ dir_path: "" })).toEqual([
      "routes[0].dir_path: is empty; it has to have at least one character",
    ]);
    expect(problemsOfRoute({ dir_path: `a${"b".repeat(99)}`.split("") })[0]).toContain("a text, not a list");
  });

  it("says which types of route there are", () => {
    expect(problemsOfRoute({ type: "files" })).toEqual([
      'routes[0].type: has to be "file_serve" or "reverse_proxy", not "files"',
    ]);
    expect(problemsOfRoute({ type: undefined })).toEqual([
      'routes[0].type: is missing. It has to be "file_serve" or "reverse_proxy".',
    ]);
  });

  it("tells what to do about a key that nobody knows", () => {
    expect(problemsOfRoute({ gzip_levl: 3 })).toEqual([
      "routes[0].gzip_levl: unknown key; did you mean gzip_level?",
    ]);
    expect(problemsOfRoute({ upstreams: [] })).toEqual([
      'routes[0].upstreams: unknown key; it belongs to servers[].routes[] of the type "reverse_proxy"',
    ]);
    expect(problemsOfServer({ workers: 1 })).toEqual([
      "workers: unknown key; it belongs to the top of the configuration",
    ]);
    expect(problemsOfListener({ colour: 1 })).toEqual([
      "listeners[0].colour: unknown key; there are host, port, tls",
    ]);
    expect(problemsOfServer({ constructor: 1 })[0]).toContain("constructor: unknown key; there are ");
    expect(problems('{"servers": [], "__proto__": 1}')[1]).toContain("__proto__: unknown key");
    expect(problemsOfServer({ "odd key": 1 })[0]).toMatch(/^\["odd key"\]: unknown key/);
  });

  it("looks into the alternative that was meant", () => {
    const upstreams = ["a", { address: "b:1", weight: 0 }, { adress: "c" }, 5];
    expect(problemsOfServer({ routes: [{ req_path: "/", type: "reverse_proxy", upstreams }] })).toEqual([
      'routes[0].upstreams[0]: has to be an address such as "127.0.0.1:3000", not "a"',
      "routes[0].upstreams[1].weight: has to be at least 1, not 0",
      "routes[0].upstreams[2].address: is missing.",
      "routes[0].upstreams[2].adress: unknown key; did you mean address?",
      "routes[0].upstreams[3]: has to be a text or an object, not 5",
    ]);
  });

  it("says how a path has to be written", () => {
    const of = (req_path: string) =>
      problemsOfRoute({ req_path })[0]?.replace(/^routes\[0\]\.req_path: /, "");
    expect(of("")).toBe('has to begin with a slash, not ""');
    expect(of("/a?b")).toContain("routes look at nothing behind the question mark");
    expect(of("/a#b")).toContain("number sign");
    expect(of("/a/../b")).toContain('as requests are compared with it, "/b", not "/a/../b"');
    expect(of("/./a")).toContain('"/a"');
    expect(of("/%61b%c3%a9")).toContain('"/ab%C3%A9"');
    expect(of("/é x")).toContain('percent-encoded as in a URL, "/%C3%A9%20x"');
    expect(of("/a%zz")).toContain("percent-encoded");
    expect(of("/..")).toContain("leads above the root");
    expect(of("/%00")).toContain("malformed");
    expect(of("/a\n")).toContain('"/a%0A"');
  });

  it("says how a name has to be written", () => {
    const of = (name: string) => problemsOfServer({ hostnames: [name] })[0]?.replace(/^hostnames\[0\]: /, "");
    expect(of("*")).toContain("leave the list empty");
    expect(of("a.*.org")).toContain("asterisk alone in the first place");
    expect(of("*a.org")).toContain("asterisk alone in the first place");
    expect(of("example.org:80")).toContain("without a port");
    expect(of("example.org.")).toContain('without the dot at its end, "example.org"');
    expect(of("münchen.de")).toContain('ASCII form, "xn--mnchen-3ya.de"');
    expect(of("::1")).toContain("[::1]");
    for (const name of ["", "a b", "-a", "a-", "a..b", ".a", "*..a", "http://a", "a/b", "x".repeat(64)]) {
      expect(of(name), name).toContain('has to be a name such as "example.org" or "*.example.org"');
    }
  });

  it("says how an address has to be written", () => {
    const of = (host: string) => problemsOfListener({ host })[0]?.replace(/^listeners\[0\]\.host: /, "");
    expect(of("[::1]")).toContain("without brackets");
    expect(of("::ffff:10.0.0.1")).toContain("the IPv4 address itself, 10.0.0.1");
    for (const host of ["localhost", "", "*", "127.1", "1.2.3.256", "127.0.0.1:80", "fe80::1%lo"]) {
      expect(of(host), host).toContain("has to be a numeric address");
    }
  });

  it("refuses what a server says twice", () => {
    expect(
      problemsOfServer({
        listeners: [listener, { host: "::1", port: 80 }, listener, { host: "0:0::1", port: 80 }],
        hostnames: ["a.org", "b.org", "A.ORG"],
        routes: [route, { ...route, req_path: "/x" }, route],
      }),
    ).toEqual([
      "listeners[2]: has the address of listeners[0] again; remove one of them",
      "listeners[3]: has the address of listeners[1] again; remove one of them",
      "routes[2].req_path: has the path of routes[0] again; remove one of them",
      "hostnames[2]: has the name of hostnames[0] again; remove one of them",
    ]);
  });

  it("lets servers share a listener as long as their names differ", () => {
    const named = (...hostnames: string[]) => ({ ...server, hostnames });
    expect(problems({ servers: [named("a.org"), named("b.org", "*.a.org"), named()] })).toEqual([]);
    expect(problems({ servers: [named("a.org"), named("b.org", "A.org")] })).toEqual([
      "servers[1].hostnames[1]: servers[0] takes a.org on 127.0.0.1:8001 already; remove it in one of them",
    ]);
    expect(problems({ servers: [named(), named()] })).toEqual([
      "servers[1]: servers[0] takes every other name on 127.0.0.1:8001 already; give one of them hostnames",
    ]);
    const elsewhere = { ...named("a.org"), listeners: [{ host: "127.0.0.1", port: 8002 }] };
    expect(problems({ servers: [named("a.org"), elsewhere] })).toEqual([]);
  });

  it("refuses one address beside all of them on the same port", () => {
    const at = (host: string, port: number, ...hostnames: string[]) => ({
      ...server,
      hostnames,
      listeners: [{ host, port }],
    });
    expect(
      problems({ servers: [at("127.0.0.1", 80), at("0.0.0.0", 80), at("::1", 80), at("::", 81)] }),
    ).toEqual([
      "servers[0].listeners[0].host: 127.0.0.1 cannot be opened beside servers[1].listeners[0], which takes port 80 of all addresses; use another port, or the same address in both places",
    ]);
  });

  it("finds conflicts beside values that are wrong, and is not led astray by them", () => {
    expect(
      problemsOfServer({
        listeners: [listener, listener, 3, { host: 4 }],
        hostnames: [1, 1],
        routes: [null, route, route],
      }),
    ).toHaveLength(8);
    expect(problems({ servers: [null, { ...server, listeners: { 0: listener } }] })).toHaveLength(2);
  });
});

describe("readConfig", () => {
  const folders: string[] = [];
  const folder = () => {
    folders.push(mkdtempSync(join(tmpdir(), "config-")));
    return folders.at(-1)!;
  };
  afterEach(() => {
    for (const each of folders.splice(0)) rmSync(each, { recursive: true });
  });

  it("takes relative paths from the file's folder", () => {
    const file = join(folder(), "xps.json");
    writeFileSync(file, JSON.stringify({ servers: [server] }));
    const config = readConfig(file, modules);
    expect(config.resolvePath("public")).toBe(join(file, "..", "public"));
    expect(config.resolvePath("/srv")).toBe("/srv");
  });

  it("says why a file cannot be read", () => {
    const missing = join(folder(), "none.json");
    expect(() => readConfig(missing, modules)).toThrow(
      `cannot read the configuration ${missing}: there is no such file`,
    );
    expect(() => readConfig(folder(), modules)).toThrow("it is a folder");
    const latin = join(folder(), "latin.json");
    writeFileSync(latin, Buffer.from('{"a": "é"}', "latin1"));
    expect(() => readConfig(latin, modules)).toThrow(`${latin}: the configuration is not UTF-8`);
  });
});

describe("jsonSchema", () => {
  it("refuses two modules with the same key", () => {
    const twice = [...modules, { name: "again", routeKeys: { gzip_level: z.int() } }];
    expect(() => jsonSchema(twice)).toThrow(
      "the module again brings the key gzip_level of a route a second time",
    );
  });

  it("has the keys of all modules in their places, and a description for each", () => {
    const text = JSON.stringify(jsonSchema(modules));
    for (const key of ["workers", "max_body_bytes", "tls", "gzip_level", "dir_path", "upstreams"]) {
      expect(text).toContain(`"${key}":{`);
    }
    expect(text).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });
});
