import { describe, expect, test } from "vitest";
import { parseConfig } from "../config/config.ts";
import { HttpServer } from "../http/http-server.ts";
import { request, responses, TestClient } from "../http/test-session.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import { redirect } from "./redirect.ts";

/** A client of a server with one route that redirects. */
function client(route: object): TestClient {
  const servers = [
    {
      listeners: [{ host: "127.0.0.1", port: 80 }],
      routes: [{ req_path: "/old", type: "redirect", redirect_url: "/new", ...route }],
    },
  ];
  const config = parseConfig("xps.json", JSON.stringify({ servers }), [redirect()]);
  const server = new HttpServer(new SteppedLoop().asLoop, config, [redirect()]);
  return new TestClient(server.listeners[0]!.site);
}

const ask = (route: object, line = "GET /old", headers: string[] = [], body = "") =>
  responses(client(route).ask(request(line, headers, body)))[0]!;

describe("a redirect", () => {
  test("has the status and the Location of the configuration, and a page with a link", () => {
    for (const http_status_code of [301, 302, 303, 307, 308]) {
      const { status, fields, body } = ask({ http_status_code });
      expect([status, fields.location]).toEqual([http_status_code, "/new"]);
      expect(body).toContain('<a href="/new">');
      expect(fields["content-type"]).toBe("text/html; charset=utf-8");
      expect(Number(fields["content-length"])).toBe(body.length);
    }
  });

  test("is for now when nothing else is said", () => {
    expect(ask({}).status).toBe(302);
  });

  test("sends everybody to the URL as it stands, without the rest of the path and the query", () => {
    expect(ask({}, "GET /old/deeper?x=1").fields.location).toBe("/new");
    const url = "https://example.org:8443/a%20b/?x=1&y='2'#there";
    const { fields, body } = ask({ redirect_url: url });
    expect(fields.location).toBe(url);
    expect(body).toContain('href="https://example.org:8443/a%20b/?x=1&amp;y=&#39;2&#39;#there"');
  });

  test("answers every method, and HEAD without a body", () => {
    expect(ask({}, "POST /old", ["Content-Length: 3"], "abc").status).toBe(302);
    expect(client({}).ask(request("HEAD /old"))).toMatch(/Content-Length: \d+\r\n(.+\r\n)+\r\n$/);
  });
});

describe("a redirect_url", () => {
  const problem = (redirect_url: unknown, req_path = "/old") => {
    try {
      ask({ redirect_url, req_path });
      return "none";
    } catch (error) {
      return (error as Error).message.replace(/^xps\.json:\d+:\d+: servers\[0\]\.routes\[0\]\./, "");
    }
  };

  test("is a path or an http or https URL", () => {
    expect(["/", "/a/b?c#d", "http://a", "HTTPS://[::1]:80/x"].map((url) => problem(url))).toEqual(
      Array(4).fill("none"),
    );
    for (const url of [
      "",
      "new",
      "./new",
      "?x",
      "javascript:alert(1)",
      "http:/a",
      "http://",
      "https://a:99999/",
      "http://a b",
    ]) {
      expect(problem(url), url).toMatch(/^redirect_url: has to be /);
    }
    expect(problem("//example.org/x")).toContain('as in "https://example.org/x", not "//example.org/x"');
    expect(problem(undefined)).toContain("redirect_url: is missing. Where clients are sent");
  });

  test("has only characters that a URL may have, so that no line can be smuggled in", () => {
    expect(problem("/a\r\nSet-Cookie: x=1")).toContain('"/a%0D%0ASet-Cookie:%20x=1"');
    expect(problem("/é 100%")).toContain('"/%C3%A9%20100%25"');
    expect(problem("/\u0000")).toContain("%00");
    expect(problem("/\ud800")).toContain("percent-encoded");
  });

  test("does not lead back to its own route for ever", () => {
    for (const url of ["/old", "/old?x=1", "/old#x"])
      expect(problem(url)).toContain("leads back to this route");
    expect(problem("/old/deeper", "/old/")).toBe("none");
  });

  test("goes with a status that redirects", () => {
    expect(() => ask({ http_status_code: 304 })).toThrow(
      "http_status_code: has to be 301, 302, 303, 307 or 308, not 304",
    );
  });
});
