/** What holds before the first request: arguments, files, addresses. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../../checks.ts";
import { assert, quote } from "../../engine/evidence.ts";
import { listeningPorts } from "../../engine/listeners.ts";
import { ask, expectStatusOf, hasIPv6, serve, writeConfiguration } from "../general/configured.ts";
import { expectExit, expectNoStackTrace, expectStatus, inTurnOrTogether } from "../general/endings.ts";

const files = { "public/index.html": "hello\n" };
const fileRoute = { req_path: "/", type: "file_serve", dir_path: "public" };
const listenerAt = (port: number, host = "127.0.0.1") => ({ host, port });

export const starting: Check[] = [
  check(
    "announces",
    {
      title: "listens on every address of its configuration, and prints a line for each",
      points: 2,
      after: ["builds"],
      why: "From here on addresses stand in the configuration: several for a server, of both families, and all of them or none.",
      see: ["ipv6(7)", "docs/reference/configuration.md"],
      byHand: "npx expserver-course run expserver xps-config.json; ss -ltn",
    },
    async (context) => {
      const hosts = hasIPv6() ? ["127.0.0.1", "0.0.0.0", "::1"] : ["127.0.0.1", "0.0.0.0"];
      const { server, ports } = await serve(
        context,
        (free) => ({
          servers: [{ listeners: hosts.map((host, i) => listenerAt(free[i]!, host)), routes: [fileRoute] }],
        }),
        { portCount: hosts.length, files },
      );
      const address = (host: string, port: number) =>
        host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      const lines = hosts.map((host, i) => `listening on ${address(host, ports[i]!)}\n`);
      await server.printed(new RegExp(`(.*\\n){${lines.length}}`), 5000);
      const printed = server.stdout.text().split(/(?<=\n)/);
      assert(printed.toSorted().join("") === lines.toSorted().join(""), {
        summary: "the lines about listening, one for each address, are incomplete or not the only ones",
        expected: quote(Buffer.from(lines.join("")), 300),
        observed: quote(server.stdout.bytes(), 400),
      });
      for (const [i, host] of hosts.entries()) {
        const response = await ask(context, ports[i]!, "GET /", {
          address: host === "0.0.0.0" ? "127.0.0.2" : host,
        });
        expectStatusOf(response, 200, `GET / at ${address(host, ports[i]!)}`);
      }
    },
  ),
  check(
    "serves-files",
    {
      title: "serves the files of a folder that the configuration names",
      points: 2,
      after: ["announces"],
      why: "The handler of stage 11 has become a feature of a route: the route's path stands for the folder, and its keys say how.",
      see: ["docs/reference/configuration.md"],
      byHand: "curl -si http://127.0.0.1:8001/",
    },
    async (context) => {
      const { ports } = await serve(
        context,
        ([port]) => ({
          servers: [
            {
              listeners: [listenerAt(port!)],
              routes: [
                {
                  req_path: "/docs",
                  type: "file_serve",
                  dir_path: "manual",
                  index: ["start.txt", "other.txt"],
                },
                fileRoute,
              ],
            },
          ],
        }),
        {
          files: {
            ...files,
            "public/docs/hidden.txt": "below the route /docs nobody gets here\n",
            "manual/start.txt": "the start\n",
            "manual/deep/other.txt": "the second index\n",
          },
        },
      );
      const expected: [path: string, status: number, body?: string][] = [
        ["/", 200, "hello\n"],
        ["/index.html", 200, "hello\n"],
        ["/docs/", 200, "the start\n"],
        ["/docs/start.txt", 200, "the start\n"],
        ["/docs/deep/", 200, "the second index\n"],
        ["/docs", 301],
        ["/docs/hidden.txt", 404],
        ["/docs/docs/start.txt", 404],
        ["/none", 404],
      ];
      for (const [path, status, body] of expected) {
        const response = await ask(context, ports[0]!, `GET ${path}`);
        expectStatusOf(response, status, `GET ${path}`);
        assert(body === undefined || response.body.toString() === body, {
          summary: `GET ${path} is answered by other bytes than those of its file`,
          expected: quote(Buffer.from(body ?? "")),
          observed: quote(response.body),
        });
      }
    },
  ),
  check(
    "relative-paths",
    {
      title: "takes relative paths from the folder of the configuration",
      points: 1,
      after: ["serves-files"],
      why: "A service manager starts programs in / and an operator in the home folder. The configuration and what it names belong together, wherever the program is started.",
      see: ["path_resolution(7)"],
    },
    async (context) => {
      const cwd = context.folder();
      // In the working directory lies a folder of the same name, and an empty one at that.
      const other = writeConfiguration(context, {}, { "public/wrong.txt": "wrong\n" });
      symlinkSync(join(other.folder, "public"), join(cwd, "public"));
      const { ports } = await serve(
        context,
        ([port]) => ({ servers: [{ listeners: [listenerAt(port!)], routes: [fileRoute] }] }),
        { files, ...(context.plan.program.language === "typescript" ? { cwd } : {}) },
      );
      expectStatusOf(await ask(context, ports[0]!, "GET /index.html"), 200, "GET /index.html");
    },
  ),
  check(
    "check-option",
    {
      title: "with --check says whether the configuration is good, and opens no socket",
      points: 2,
      after: ["announces"],
      why: "An operator tries a new configuration while the old one serves, on the same ports. A look that opened them would fail, or take them.",
      see: ["docs/reference/configuration.md"],
      byHand: "npx expserver-course run expserver --check xps-config.json; echo $?",
    },
    async (context) => {
      const configure = (ports: number[], route: object) => ({
        servers: [{ listeners: ports.map((port) => listenerAt(port)), routes: [route] }],
      });
      const busy = await context.listen();
      const good = writeConfiguration(context, configure([busy.port], fileRoute), files);
      const bad = writeConfiguration(
        context,
        configure([busy.port], { ...fileRoute, dir_path: "none" }),
        files,
      );
      const tries = async (file: string, status: number, situation: string) => {
        const program = context.launch(["--check", file]);
        const exit = await expectExit(program, 10_000, `--check with a configuration that is ${situation}`);
        expectStatus(program, exit, [status], `with --check and a configuration that is ${situation}`);
        expectNoStackTrace(program);
      };
      await inTurnOrTogether([
        () => tries(good.file, 0, "good, while its port is taken"),
        () => tries(bad.file, 1, "bad: a folder is missing"),
      ]);
      assert(busy.accepted.length === 0, {
        summary: "the program connected to a port of the configuration that it was to look at only",
        expected: "no connection",
        observed: `${busy.accepted.length} of them`,
      });
    },
  ),
  check(
    "usage",
    {
      title: "refuses wrong arguments with status 2, and says how it is called",
      points: 1,
      after: ["builds"],
      why: "The one argument is the configuration. A program that is called in another way was called by mistake.",
      see: ["exit(3)"],
    },
    async (context) => {
      const wrong = [[], ["--no-such-option", "xps-config.json"], ["one.json", "two.json"]];
      const refuses = async (args: string[]) => {
        const situation = args.length === 0 ? "without an argument" : `with ${args.join(" ")}`;
        const program = context.launch(args);
        const exit = await expectExit(program, 5000, `it was started ${situation}`);
        expectStatus(program, exit, [2], `when it was started ${situation}`);
        expectNoStackTrace(program);
        const message = program.stderr.text();
        assert(/usage/i.test(message), {
          summary: `the message does not say how the program is called ${situation}`,
          expected: "a sentence on stderr with the usage: expserver [--check] <config.json>",
          observed: message.trim() || "nothing on stderr",
        });
      };
      await inTurnOrTogether(wrong.map((args) => () => refuses(args)));
    },
  ),
  check(
    "no-such-configuration",
    {
      title: "names a configuration that it cannot read",
      points: 1,
      after: ["builds"],
      why: "The most frequent mistake of all is a path that leads nowhere.",
    },
    async (context) => {
      const refuses = async (file: string, situation: string) => {
        const program = context.launch([file]);
        const exit = await expectExit(program, 5000, `it was started with ${situation}`);
        expectStatus(program, exit, [1], `with ${situation}`);
        expectNoStackTrace(program);
        assert(program.stderr.text().includes(file), {
          summary: `the message does not name the configuration: ${situation}`,
          expected: `a sentence on stderr that names ${file}`,
          observed: program.stderr.text().trim() || "nothing on stderr",
        });
      };
      const folder = context.folder();
      await inTurnOrTogether([
        () => refuses(join(folder, "none.json"), "a configuration that is not there"),
        () => refuses(folder, "a folder as its configuration"),
      ]);
    },
  ),
  check(
    "port-taken",
    {
      title: "opens all addresses or none, and says which is taken",
      points: 2,
      after: ["announces"],
      why: "Half a server is worse than none: it looks alive, and some of its sites are not there. And the free addresses belong to whoever starts next.",
      see: ["bind(2)"],
    },
    async (context) => {
      const busy = await context.listen();
      const free = [await context.freePort(), await context.freePort()];
      const ports = [free[0]!, busy.port, free[1]!];
      const servers = ports.map((port) => ({ listeners: [listenerAt(port)], routes: [fileRoute] }));
      const { file } = writeConfiguration(context, { servers }, files);
      const program = context.launch([file]);
      const exit = await expectExit(program, 5000, `it was to listen on port ${busy.port}, which is taken`);
      expectStatus(program, exit, [1], "when one of its ports was taken");
      expectNoStackTrace(program);
      const message = program.stderr.text();
      assert(message.includes(String(busy.port)), {
        summary: "the message does not name the port that is taken",
        expected: `a sentence on stderr that names port ${busy.port}`,
        observed: message.trim() || "nothing on stderr",
      });
      await context.waitFor(() => listeningPorts(context.tree.alive()).length === 0, 1000);
      assert(listeningPorts(context.tree.alive()).length === 0, {
        summary: "something still listens after the program gave up",
        expected: "nobody who listens",
        observed: `a listening socket on port ${listeningPorts(context.tree.alive()).join(", ")}`,
      });
      assert(!program.stdout.text().includes("listening on"), {
        summary: "the program says that it listens, although it does not start",
        expected: "no line about listening before all addresses are open",
        observed: quote(program.stdout.bytes(), 300),
      });
    },
  ),
  check(
    "ends-cleanly",
    {
      title: "ends with status 0 on SIGINT and SIGTERM, whatever its clients are at",
      points: 1,
      after: ["serves-files"],
      why: "Nothing of this stage may keep the program: no session, no timer, no listener of one of several servers.",
      see: ["signal(7)"],
    },
    async (context) => {
      const ends = async (signal: NodeJS.Signals) => {
        const { server, ports } = await serve(
          context,
          (free) => ({
            servers: free.map((port) => ({ listeners: [listenerAt(port)], routes: [fileRoute] })),
          }),
          { portCount: 2, files },
        );
        const silent = await context.connect({ port: ports[0]! });
        const begun = await context.connect({ port: ports[1]! });
        begun.send("GET / HTTP/1.1\r\nHost: ");
        await begun.wasRead();
        context.step(`sent ${signal}`);
        server.kill(signal);
        expectStatus(server, await expectExit(server, 1000, signal), [0], `after ${signal}`);
        expectNoStackTrace(server);
        for (const client of [silent, begun]) client.close();
      };
      await inTurnOrTogether([() => ends("SIGINT"), () => ends("SIGTERM")]);
    },
  ),
];
