import {
  fieldLines,
  head,
  parsed,
  parsedFields,
  requestLine,
  usualHost,
  type ValidRequest,
} from "./request-case.ts";

/** Methods, targets and versions. */
const requestLines: ValidRequest[] = [
  {
    name: "the shortest request of HTTP/1.1",
    bytes: head("GET / HTTP/1.1", "Host: a"),
    expected: parsed({ headers: [["Host", "a"]], host: "a" }),
    source: "RFC 9112 §3",
  },
  ...["HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"].map((method) => ({
    name: `the method ${method}`,
    bytes: requestLine(`${method} / HTTP/1.1`),
    expected: parsed({ method }),
    source: "RFC 9110 §9.1",
  })),
  {
    name: "a method that nobody knows is a token all the same",
    bytes: requestLine("UPDATEREDIRECTREF / HTTP/1.1"),
    expected: parsed({ method: "UPDATEREDIRECTREF" }),
    source: "RFC 9110 §9.1",
  },
  {
    name: "a method with a hyphen",
    bytes: requestLine("M-SEARCH / HTTP/1.1"),
    expected: parsed({ method: "M-SEARCH" }),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "a method of a single letter",
    bytes: requestLine("Q / HTTP/1.1"),
    expected: parsed({ method: "Q" }),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "a method keeps its case: get is not GET",
    bytes: requestLine("get / HTTP/1.1"),
    expected: parsed({ method: "get" }),
    source: "RFC 9110 §9.1",
  },
  {
    name: "a method that begins like a known one",
    bytes: requestLine("GETS / HTTP/1.1"),
    expected: parsed({ method: "GETS" }),
    source: "RFC 9110 §9.1",
  },
  {
    name: "a method may begin with a digit",
    bytes: requestLine("2FAST / HTTP/1.1"),
    expected: parsed({ method: "2FAST" }),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "HTTP/1.0 needs no Host",
    bytes: head("GET / HTTP/1.0"),
    expected: parsed({ version: "1.0", headers: [], host: null }),
    source: "RFC 9112 §3.2",
  },
  {
    name: "HTTP/1.0 may have a Host",
    bytes: requestLine("GET / HTTP/1.0"),
    expected: parsed({ version: "1.0" }),
    source: "RFC 9112 §3.2",
  },
  {
    name: "HTTP/1.2 is read as HTTP/1.1",
    bytes: requestLine("GET / HTTP/1.2"),
    expected: parsed({}),
    source: "RFC 9110 §2.5",
  },
  {
    name: "HTTP/1.9 is read as HTTP/1.1",
    bytes: requestLine("GET / HTTP/1.9"),
    expected: parsed({}),
    source: "RFC 9110 §2.5",
  },
  {
    name: "an empty line before a request is skipped",
    bytes: `\r\n${requestLine("GET / HTTP/1.1")}`,
    expected: parsed({}),
    source: "RFC 9112 §2.2",
  },
];

const originForms: ValidRequest[] = [
  {
    name: "a path of several segments",
    bytes: requestLine("GET /a/b/c.txt HTTP/1.1"),
    expected: parsed({ target: "/a/b/c.txt", path: "/a/b/c.txt" }),
    source: "RFC 9112 §3.2.1",
  },
  {
    name: "a query begins behind the question mark",
    bytes: requestLine("GET /search?q=cats&page=2 HTTP/1.1"),
    expected: parsed({ target: "/search?q=cats&page=2", path: "/search", query: "q=cats&page=2" }),
    source: "RFC 9112 §3.2.1",
  },
  {
    name: "an empty query is a query",
    bytes: requestLine("GET /a? HTTP/1.1"),
    expected: parsed({ target: "/a?", path: "/a", query: "" }),
    source: "RFC 3986 §3.4",
  },
  {
    name: "a query may have question marks and slashes in it",
    bytes: requestLine("GET /a?b?c/d HTTP/1.1"),
    expected: parsed({ target: "/a?b?c/d", path: "/a", query: "b?c/d" }),
    source: "RFC 3986 §3.4",
  },
  {
    name: "escapes are left as they were sent",
    bytes: requestLine("GET /%7Euser/%2e%2E/%2F?a=%20 HTTP/1.1"),
    expected: parsed({
      target: "/%7Euser/%2e%2E/%2F?a=%20",
      path: "/%7Euser/%2e%2E/%2F",
      query: "a=%20",
    }),
    source: "RFC 3986 §2.1",
  },
  {
    name: "an escaped question mark begins no query",
    bytes: requestLine("GET /a%3Fb HTTP/1.1"),
    expected: parsed({ target: "/a%3Fb", path: "/a%3Fb" }),
    source: "RFC 3986 §2.2",
  },
  {
    name: "dot segments are left as they were sent",
    bytes: requestLine("GET /a/../b/./c HTTP/1.1"),
    expected: parsed({ target: "/a/../b/./c", path: "/a/../b/./c" }),
    source: "stage 10",
  },
  {
    name: "two slashes at the beginning are a path and no host",
    bytes: requestLine("GET //other.example/a HTTP/1.1"),
    expected: parsed({ target: "//other.example/a", path: "//other.example/a" }),
    source: "RFC 9112 §3.2.1",
  },
  {
    name: "a URL in a path is a path",
    bytes: requestLine("GET /http://other.example/ HTTP/1.1"),
    expected: parsed({ target: "/http://other.example/", path: "/http://other.example/" }),
    source: "RFC 9112 §3.2.1",
  },
  {
    name: "a colon and an at sign in a path",
    bytes: requestLine("GET /a:80@b HTTP/1.1"),
    expected: parsed({ target: "/a:80@b", path: "/a:80@b" }),
    source: "RFC 3986 §3.3",
  },
  {
    name: "parameters of a segment belong to the path",
    bytes: requestLine("GET /a;v=1/b,c=(d) HTTP/1.1"),
    expected: parsed({ target: "/a;v=1/b,c=(d)", path: "/a;v=1/b,c=(d)" }),
    source: "RFC 3986 §3.3",
  },
  {
    name: "a star in a path",
    bytes: requestLine("GET /* HTTP/1.1"),
    expected: parsed({ target: "/*", path: "/*" }),
    source: "RFC 3986 §3.3",
  },
  {
    name: "OPTIONS of a path",
    bytes: requestLine("OPTIONS /a HTTP/1.1"),
    expected: parsed({ method: "OPTIONS", target: "/a", path: "/a" }),
    source: "RFC 9110 §9.3.7",
  },
];

const otherForms: ValidRequest[] = [
  {
    name: "the target of CONNECT is a host and a port",
    bytes: head("CONNECT www.example.com:443 HTTP/1.1", "Host: www.example.com:443"),
    expected: parsed({
      method: "CONNECT",
      target: "www.example.com:443",
      path: "",
      headers: [["Host", "www.example.com:443"]],
      host: "www.example.com:443",
    }),
    source: "RFC 9112 §3.2.3",
  },
  {
    name: "the target of CONNECT may be an IPv6 address",
    bytes: head("CONNECT [2001:db8::1]:443 HTTP/1.1", "Host: [2001:db8::1]:443"),
    expected: parsed({
      method: "CONNECT",
      target: "[2001:db8::1]:443",
      path: "",
      headers: [["Host", "[2001:db8::1]:443"]],
      host: "[2001:db8::1]:443",
    }),
    source: "RFC 9112 §3.2.3",
  },
  {
    name: "the target of OPTIONS may be a star",
    bytes: requestLine("OPTIONS * HTTP/1.1"),
    expected: parsed({ method: "OPTIONS", target: "*", path: "*" }),
    source: "RFC 9112 §3.2.4",
  },
  {
    name: "a URL as target",
    bytes: requestLine("GET http://example.org/a/b?c=d HTTP/1.1"),
    expected: parsed({ target: "http://example.org/a/b?c=d", path: "/a/b", query: "c=d" }),
    source: "RFC 9112 §3.2.2",
  },
  {
    name: "the host of a URL goes before the Host field",
    bytes: head("GET http://url.example/ HTTP/1.1", "Host: field.example"),
    expected: parsed({
      target: "http://url.example/",
      headers: [["Host", "field.example"]],
      host: "url.example",
    }),
    source: "RFC 9112 §3.2.2",
  },
  {
    name: "a URL without a path has the path /",
    bytes: requestLine("GET http://example.org HTTP/1.1"),
    expected: parsed({ target: "http://example.org" }),
    source: "RFC 9112 §3.2.1",
  },
  {
    name: "a URL with a query and no path",
    bytes: requestLine("GET http://example.org?a=/b HTTP/1.1"),
    expected: parsed({ target: "http://example.org?a=/b", query: "a=/b" }),
    source: "RFC 3986 §3",
  },
  {
    name: "a URL with a port",
    bytes: requestLine("GET http://example.org:8080/a HTTP/1.1"),
    expected: parsed({ target: "http://example.org:8080/a", path: "/a", host: "example.org:8080" }),
    source: "RFC 9112 §3.2.2",
  },
  {
    name: "a URL with an IPv6 address",
    bytes: requestLine("GET http://[::1]:8080/a HTTP/1.1"),
    expected: parsed({ target: "http://[::1]:8080/a", path: "/a", host: "[::1]:8080" }),
    source: "RFC 3986 §3.2.2",
  },
  {
    name: "a URL's scheme in upper case",
    bytes: requestLine("GET HTTP://example.org/a HTTP/1.1"),
    expected: parsed({ target: "HTTP://example.org/a", path: "/a" }),
    source: "RFC 3986 §3.1",
  },
  {
    name: "a URL with https",
    bytes: requestLine("GET https://example.org/a HTTP/1.1"),
    expected: parsed({ target: "https://example.org/a", path: "/a" }),
    source: "RFC 9112 §3.2.2",
  },
  {
    name: "a URL in HTTP/1.0 names the host without a Host field",
    bytes: head("GET http://url.example/a HTTP/1.0"),
    expected: parsed({
      target: "http://url.example/a",
      path: "/a",
      version: "1.0",
      headers: [],
      host: "url.example",
    }),
    source: "RFC 9112 §3.2.2",
  },
  {
    name: "a URL whose query has an at sign and a colon",
    bytes: requestLine("GET http://example.org/?user@b:c HTTP/1.1"),
    expected: parsed({ target: "http://example.org/?user@b:c", query: "user@b:c" }),
    source: "RFC 3986 §3.4",
  },
];

const lineEnds: ValidRequest[] = [
  {
    name: "a bare LF ends a line",
    bytes: "GET / HTTP/1.1\nHost: example.org\nX-A: b\n\n",
    expected: parsedFields(["X-A", "b"]),
    source: "RFC 9112 §2.2",
  },
  {
    name: "a bare LF ends the request line only",
    bytes: "GET / HTTP/1.1\nHost: example.org\r\n\r\n",
    expected: parsed({}),
    source: "RFC 9112 §2.2",
  },
  {
    name: "a bare LF ends a field only",
    bytes: "GET / HTTP/1.1\r\nHost: example.org\n\r\n",
    expected: parsed({}),
    source: "RFC 9112 §2.2",
  },
  {
    name: "a bare LF is the empty line",
    bytes: "GET / HTTP/1.1\r\nHost: example.org\r\n\n",
    expected: parsed({}),
    source: "RFC 9112 §2.2",
  },
  {
    name: "a bare LF ends a field with an empty value",
    bytes: "GET / HTTP/1.1\r\nHost: example.org\r\nX-A:\nX-B:\n\r\n",
    expected: parsedFields(["X-A", ""], ["X-B", ""]),
    source: "RFC 9112 §2.2",
  },
  {
    name: "HTTP/1.0 with bare LF and no field",
    bytes: "GET / HTTP/1.0\n\n",
    expected: parsed({ version: "1.0", headers: [], host: null }),
    source: "RFC 9112 §2.2",
  },
];

const fields: ValidRequest[] = [
  {
    name: "spaces and tabs around a value do not belong to it",
    bytes: fieldLines("X-A: \t  b\t \t"),
    expected: parsedFields(["X-A", "b"]),
    source: "RFC 9112 §5.1",
  },
  {
    name: "no space behind the colon is needed",
    bytes: fieldLines("X-A:b"),
    expected: parsedFields(["X-A", "b"]),
    source: "RFC 9112 §5.1",
  },
  {
    name: "spaces and tabs within a value are left",
    bytes: fieldLines("X-A: a  b\t\tc"),
    expected: parsedFields(["X-A", "a  b\t\tc"]),
    source: "RFC 9110 §5.5",
  },
  {
    name: "a value may be empty",
    bytes: fieldLines("X-A:", "X-B: c"),
    expected: parsedFields(["X-A", ""], ["X-B", "c"]),
    source: "RFC 9110 §5.5",
  },
  {
    name: "a value of white space only is empty",
    bytes: fieldLines("X-A: \t ", "X-B:\t"),
    expected: parsedFields(["X-A", ""], ["X-B", ""]),
    source: "RFC 9112 §5.1",
  },
  {
    name: "colons belong to the value",
    bytes: fieldLines("X-A::b::", "X-B: http://c:80/"),
    expected: parsedFields(["X-A", ":b::"], ["X-B", "http://c:80/"]),
    source: "RFC 9112 §5",
  },
  {
    name: "quotes and commas in a value are left",
    bytes: fieldLines('Accept: text/html;q="0,5", */*', 'X-A: "a\\"b\', c'),
    expected: parsedFields(["Accept", 'text/html;q="0,5", */*'], ["X-A", '"a\\"b\', c']),
    source: "RFC 9110 §5.5",
  },
  {
    name: "several fields of one name stay several, in order",
    bytes: fieldLines("X-A: 1", "x-a: 2", "X-B: 3", "X-A: 1"),
    expected: parsedFields(["X-A", "1"], ["x-a", "2"], ["X-B", "3"], ["X-A", "1"]),
    source: "RFC 9110 §5.3",
  },
  {
    name: "a name keeps its case",
    bytes: fieldLines("x-lower: a", "X-UPPER: b"),
    expected: parsedFields(["x-lower", "a"], ["X-UPPER", "b"]),
    source: "RFC 9110 §5.1",
  },
  {
    name: "the name of Host in lower case",
    bytes: head("GET / HTTP/1.1", "host: example.org"),
    expected: parsed({ headers: [["host", usualHost]] }),
    source: "RFC 9110 §5.1",
  },
  {
    name: "the name of Host in mixed case, behind other fields",
    bytes: head("GET / HTTP/1.1", "Accept: */*", "hOsT:example.org"),
    expected: parsed({
      headers: [
        ["Accept", "*/*"],
        ["hOsT", usualHost],
      ],
    }),
    source: "RFC 9110 §5.1",
  },
  {
    name: "names that only begin or end like Host",
    bytes: fieldLines("Hos: a", "Hosts: b", "X-Host: c"),
    expected: parsedFields(["Hos", "a"], ["Hosts", "b"], ["X-Host", "c"]),
    source: "RFC 9110 §5.1",
  },
  {
    name: "all token characters in a name",
    bytes: fieldLines("!#$%&'*+-.^_`|~09AZaz: b"),
    expected: parsedFields(["!#$%&'*+-.^_`|~09AZaz", "b"]),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "a name of digits",
    bytes: fieldLines("123: b"),
    expected: parsedFields(["123", "b"]),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "a name of a single letter",
    bytes: fieldLines("X: y"),
    expected: parsedFields(["X", "y"]),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "an underscore is no hyphen: this is no Content-Length",
    bytes: fieldLines("Content_Length: x", "Transfer_Encoding: y"),
    expected: parsedFields(["Content_Length", "x"], ["Transfer_Encoding", "y"]),
    source: "RFC 9110 §5.1",
  },
  {
    name: "names that belong to every object of JavaScript",
    bytes: fieldLines("__proto__: a", "constructor: b", "toString: c"),
    expected: parsedFields(["__proto__", "a"], ["constructor", "b"], ["toString", "c"]),
    source: "RFC 9110 §5.6.2",
  },
  {
    name: "a value that looks like a request line",
    bytes: fieldLines("X-A: GET /b HTTP/1.1"),
    expected: parsedFields(["X-A", "GET /b HTTP/1.1"]),
    source: "RFC 9110 §5.5",
  },
  {
    name: "bytes from 0x80 on in a value, which is read as Latin-1",
    bytes: fieldLines("X-A: \x80\xe4\xff"),
    expected: parsedFields(["X-A", "\x80\xe4\xff"]),
    source: "RFC 9110 §5.5",
  },
  {
    name: "a no-break space at the end of a value belongs to it",
    bytes: fieldLines("X-A: b\xa0"),
    expected: parsedFields(["X-A", "b\xa0"]),
    source: "RFC 9110 §5.6.3",
  },
];

const hosts: ValidRequest[] = [
  "example.org:8080",
  "127.0.0.1",
  "127.0.0.1:8001",
  "[::1]",
  "[2001:db8::1]:8001",
  "localhost",
  "xn--bcher-kva.example",
  "under_score.example",
  "a~b.example",
  "example.org.",
].map((host) => ({
  name: `the host ${host}`,
  bytes: head("GET / HTTP/1.1", `Host: ${host}`),
  expected: parsed({ headers: [["Host", host]], host }),
  source: "RFC 9110 §7.2",
}));

/** Lengths and codings that leave no doubt. */
const framings: ValidRequest[] = (
  [
    ["a length of 0", ["Content-Length", "0"], "RFC 9110 §8.6"],
    ["a length", ["Content-Length", "1000000"], "RFC 9110 §8.6"],
    ["a length with zeros before it", ["Content-Length", "0042"], "RFC 9110 §8.6"],
    ["a length, its name in upper case", ["CONTENT-LENGTH", "3"], "RFC 9110 §5.1"],
    ["a chunked body", ["Transfer-Encoding", "chunked"], "RFC 9112 §6.1"],
    ["a chunked body, the coding in mixed case", ["Transfer-Encoding", "ChunKed"], "RFC 9112 §7"],
    ["a chunked body, its name in lower case", ["transfer-encoding", "chunked"], "RFC 9110 §5.1"],
  ] as [string, [string, string], string][]
).map(([name, [fieldName, value], source]) => ({
  name,
  bytes: head("POST / HTTP/1.1", `Host: ${usualHost}`, `${fieldName}:\t${value} `),
  expected: parsed({
    method: "POST",
    headers: [
      ["Host", usualHost],
      [fieldName, value],
    ],
  }),
  source,
}));

/** What clients really send, and heads just within the limits. */
const longer: ValidRequest[] = [
  {
    name: "what curl sends",
    bytes: head("GET /index.html HTTP/1.1", "Host: 127.0.0.1:8001", "User-Agent: curl/8.5.0", "Accept: */*"),
    expected: parsed({
      target: "/index.html",
      path: "/index.html",
      headers: [
        ["Host", "127.0.0.1:8001"],
        ["User-Agent", "curl/8.5.0"],
        ["Accept", "*/*"],
      ],
      host: "127.0.0.1:8001",
    }),
    source: "stage 10",
  },
  {
    name: "a request to change to WebSocket",
    bytes: fieldLines("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    expected: parsedFields(
      ["Connection", "keep-alive, Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
    ),
    source: "RFC 9110 §7.8",
  },
  {
    name: "a client that waits before it sends its body",
    bytes: fieldLines("Content-Length: 10", "Expect: 100-continue"),
    expected: parsedFields(["Content-Length", "10"], ["Expect", "100-continue"]),
    source: "RFC 9110 §10.1.1",
  },
  {
    name: "a target of 8,100 bytes",
    bytes: requestLine(`GET /${"a".repeat(8_099)} HTTP/1.1`),
    expected: parsed({ target: `/${"a".repeat(8_099)}`, path: `/${"a".repeat(8_099)}` }),
    source: "stage 10: 8 KiB",
  },
  {
    name: "a target of 8,100 bytes, nearly all of it query",
    bytes: requestLine(`GET /?${"a".repeat(8_098)} HTTP/1.1`),
    expected: parsed({ target: `/?${"a".repeat(8_098)}`, query: "a".repeat(8_098) }),
    source: "stage 10: 8 KiB",
  },
  {
    name: "100 fields",
    bytes: fieldLines(...Array.from({ length: 99 }, (_, index) => `X-${index}: ${index}`)),
    expected: parsedFields(
      ...Array.from({ length: 99 }, (_, index): [string, string] => [`X-${index}`, `${index}`]),
    ),
    source: "stage 10: 100 fields",
  },
  {
    name: "a value of 32,000 bytes",
    bytes: fieldLines(`X-A: ${"b".repeat(32_000)}`),
    expected: parsedFields(["X-A", "b".repeat(32_000)]),
    source: "stage 10: 32 KiB",
  },
  {
    name: "a name of 8,000 bytes",
    bytes: fieldLines(`${"X".repeat(8_000)}: b`),
    expected: parsedFields(["X".repeat(8_000), "b"]),
    source: "stage 10: 32 KiB",
  },
  {
    name: "64 fields of 500 bytes",
    bytes: fieldLines(...Array.from({ length: 64 }, () => `X-A: ${"b".repeat(493)}`)),
    expected: parsedFields(...Array.from({ length: 64 }, (): [string, string] => ["X-A", "b".repeat(493)])),
    source: "stage 10: 32 KiB",
  },
];

/** Well-formed heads by what they show, and all of them. */
export const validRequestsByTopic = {
  requestLines,
  originForms,
  otherForms,
  lineEnds,
  fields,
  hosts,
  framings,
  longer,
};
export const validRequests: ValidRequest[] = Object.values(validRequestsByTopic).flat();
