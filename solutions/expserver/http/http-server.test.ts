import { readdirSync } from "node:fs";
import { getsockname } from "expserver-course/linux";
import { expect, onTestFinished, test } from "vitest";
import { closed, listener } from "../../../linux/test-sockets.ts";
import { parseConfig } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Module } from "../config/module.ts";
import { listenOn } from "../network/socket.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import { HttpServer } from "./http-server.ts";
import { nameServer } from "./response.ts";
import { request, responses, TestClient } from "./test-session.ts";

/** Routes that answer with where they stand in the configuration. */
const where: Module = {
  name: "where",
  routeType: { type: "where", keys: {} },
  setUpRoute({ route, keyPath }) {
    route.content = (_request, response) => {
      response.setText(keyPath.replace(/servers|routes/g, ""), "text/plain");
      response.send();
    };
  },
};

const route = (req_path: string) => ({ req_path, type: "where" });
const server = (hostnames: string[], port = 80, host = "127.0.0.1", paths = ["/"]) => ({
  listeners: [{ host, port }],
  hostnames,
  routes: paths.map(route),
});

function configured(servers: object[], modules: Module[] = [where], more: object = {}): HttpServer {
  const config = parseConfig("/srv/xps.json", JSON.stringify({ servers, ...more }), modules);
  const made = new HttpServer(new SteppedLoop().asLoop, config, modules);
  onTestFinished(() => made.destroy());
  return made;
}

/** What the first listener answers for a host and a path. */
function answer(made: HttpServer, host: string, path = "/"): string {
  const [response] = responses(
    new TestClient(made.listeners[0]!.site).ask(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  );
  return response!.status === 200 ? response!.body : String(response!.status);
}

/** A port of 127.0.0.1 that nobody has, and one that somebody listens on. */
function ports(): { free: number; busy: number } {
  const taken = listener();
  const { fd, address } = listener();
  closed(fd);
  return { free: address.port, busy: taken.address.port };
}

const openDescriptors = () => readdirSync("/proc/self/fd").length;

test("servers on one address share its listener, and the host of a request tells which is meant", () => {
  const made = configured([
    server(["a.org", "*.b.org"]),
    server([]),
    server(["x.b.org"]),
    server(["y.org"], 81),
    server(["z.org"], 80, "::1"),
    server(["w.org"], 80, "0:0::1"),
  ]);
  expect(made.listeners.map(({ address }) => address)).toEqual([
    { host: "127.0.0.1", port: 80 },
    { host: "127.0.0.1", port: 81 },
    { host: "::1", port: 80 },
  ]);
  expect(
    ["a.org", "A.org.", "q.b.org:80", "p.q.b.org", "x.b.org", "b.org", "y.org", "[::1]:80"].map((host) =>
      answer(made, host),
    ),
  ).toEqual(["[0].[0]", "[0].[0]", "[0].[0]", "[0].[0]", "[2].[0]", "[1].[0]", "[1].[0]", "[1].[0]"]);
});

test("the longest path that ends where a segment ends has a request", () => {
  const made = configured([server([], 80, "127.0.0.1", ["/api", "/a/", "/api/v1", "/b%2Fc"])]);
  expect(
    [
      "/api",
      "/api/x",
      "/api?x",
      "/api/v1/x",
      "/api/v12",
      "/api2",
      "/",
      "/a",
      "/a/",
      "/a/b",
      "/%61pi",
      "/x/../api",
      "/b%2fc/d",
    ].map((path) => answer(made, "x", path)),
  ).toEqual([
    "[0].[0]",
    "[0].[0]",
    "[0].[0]",
    "[0].[2]",
    "[0].[0]",
    "404",
    "404",
    "404",
    "[0].[1]",
    "[0].[1]",
    "[0].[0]",
    "[0].[0]",
    "[0].[3]",
  ]);
});

test("modules are set up in their order, with checked values and their places", () => {
  const calls: string[] = [];
  const recorder = (name: string): Module => ({
    name,
    setUpMain: ({ config, resolvePath }) =>
      calls.push(`${name} main ${config.server_name} ${resolvePath("x")}`),
    setUpServer: ({ keyPath, config }) => calls.push(`${name} ${keyPath} ${config.listeners[0]!.port}`),
    setUpRoute: ({ keyPath, config }) => calls.push(`${name} ${keyPath} ${config.req_path}`),
  });
  configured([server([])], [where, recorder("one"), recorder("two")], { server_name: "mine" });
  expect(calls).toEqual([
    "one main mine /srv/x",
    "two main mine /srv/x",
    "one servers[0] 80",
    "two servers[0] 80",
    "one servers[0].routes[0] /",
    "two servers[0].routes[0] /",
  ]);
});

test("everything that modules cannot use is told, and what they had made is given back", () => {
  const destroyed: string[] = [];
  const picky: Module = {
    name: "picky",
    setUpMain: ({ core }) => void core.own({ destroy: () => destroyed.push("main") }),
    setUpRoute({ core, keyPath, config }) {
      core.own({ destroy: () => destroyed.push(config.req_path) });
      if (config.req_path !== "/") throw new ConfigError(`${keyPath}.req_path`, "is not to my taste");
    },
  };
  expect(() => configured([server([], 80, "127.0.0.1", ["/", "/a", "/b"])], [where, picky])).toThrow(
    /^\/srv\/xps.json:1:\d+: servers\[0\]\.routes\[1\]\.req_path: is not to my taste\n.*routes\[2\]/,
  );
  expect(destroyed).toEqual(["/b", "/a", "/", "main"]);
});

test("nothing is opened before listen is called", () => {
  const before = openDescriptors();
  configured([server([], ports().busy)]);
  expect(openDescriptors()).toBeLessThanOrEqual(before + 2); // the loop's epoll, and the busy port's socket
});

test("all addresses are opened, or none", () => {
  const { free, busy } = ports();
  const made = configured([server([], free), server([], busy)]);
  const before = openDescriptors();
  expect(() => made.listen()).toThrow(`bind 127.0.0.1:${busy}: address already in use`);
  expect(openDescriptors()).toBe(before);
});

test("listens on sockets that somebody else has opened", () => {
  const address = { host: "127.0.0.1", port: ports().free };
  const fd = listenOn(address);
  const made = configured([server([], address.port)]);
  const asked: object[] = [];
  made.listen((wanted) => {
    asked.push(wanted);
    return fd;
  });
  expect(asked).toEqual([address]);
  made.destroy();
  expect(() => getsockname(fd)).toThrow("EBADF");
  made.destroy();
});

test("responses carry the server's name from listen on", () => {
  onTestFinished(() => nameServer("eXpServer"));
  const made = configured([server([], ports().free)], [where], { server_name: "mine/2" });
  const name = () =>
    responses(new TestClient(made.listeners[0]!.site).ask(request("GET /")))[0]!.fields.server;
  expect(name()).toBe("eXpServer");
  made.listen();
  expect(name()).toBe("mine/2");
});
