/**
 * `parse-requests <parser> <curl|browser> <seconds>`: how fast a parser reads heads of requests. It prints a line of JSON
 * with requests per second and microseconds of processor time for one. The parser must first have read each right.
 */
import { type Parse, requestParsers } from "./request-parsers.ts";

/** Requests that lie one behind the other in the buffer: not one, whose parse a compiler could foresee. */
const requestCount = 64;
const warmUpSeconds = 0.4;
const batches = 50;

const heads: Record<string, (index: number) => string[]> = {
  /** About 80 bytes. */
  curl: (index) => [
    `GET /files/${index}.txt HTTP/1.1`,
    "Host: 127.0.0.1:8001",
    "User-Agent: curl/8.5.0",
    "Accept: */*",
  ],
  /** About 700 bytes, as a browser asks for a page when it has a cookie. */
  browser: (index) => [
    `GET /articles/2024/${index}/how-a-server-works?from=start&page=2 HTTP/1.1`,
    "Host: www.example.org",
    "Connection: keep-alive",
    'sec-ch-ua: "Not A Brand";v="99", "Some Browser";v="128"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Engine/537.36 (like others) Some/128.0.0.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Referer: https://www.example.org/articles/",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: en-GB,en;q=0.9",
    `Cookie: session=6f1c0e2a9b7d4853; theme=dark; seen=${index + 100}`,
  ],
};

/** The heads in one buffer, as a receive buffer has them, and where each begins; the last entry is the end. */
function layOut(lists: string[][]): { buffer: Buffer; starts: number[] } {
  const texts = lists.map((lines) => `${lines.join("\r\n")}\r\n\r\n`);
  const starts = [0];
  for (const { length } of texts) starts.push(starts.at(-1)! + length);
  return { buffer: Buffer.from(texts.join(""), "latin1"), starts };
}

/** A parser that reads something else is not faster but wrong. */
function expectRight(parse: Parse, lists: string[][], starts: number[]): void {
  for (const [index, lines] of lists.entries()) {
    const { target, fieldCount, strings } = parse(starts[index]!, starts[index + 1]!);
    const expected = lines.slice(1).flatMap((line) => line.split(/: (.*)/).slice(0, 2));
    const isRight =
      target === lines[0]!.split(" ")[1] &&
      fieldCount === lines.length - 1 &&
      (strings.length === 0 || strings.join() === expected.join());
    if (!isRight) throw new Error(`It reads ${JSON.stringify(parse(starts[index]!, starts[index + 1]!))}.`);
  }
}

const [name = "", kind = "", seconds = ""] = process.argv.slice(2);
const lists = Array.from({ length: requestCount }, (_, index) => heads[kind]!(index));
const { buffer, starts } = layOut(lists);
const parse = requestParsers[name]!(buffer);
expectRight(parse, lists, starts);

/** What was parsed, so that no compiler can leave it out. */
let seen = 0;

function parseFor(length: number): { perSecond: number; cpuMicroseconds: number } {
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const end = begin + 1000 * length;
  let count = 0;
  while (performance.now() < end) {
    for (let batch = 0; batch < batches; batch++) {
      for (let index = 0; index < requestCount; index++) {
        const { target, fieldCount, strings } = parse(starts[index]!, starts[index + 1]!);
        seen += target.length + fieldCount + strings.length;
      }
    }
    count += batches * requestCount;
  }
  const elapsed = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: count / elapsed, cpuMicroseconds: (user + system) / count };
}

parseFor(warmUpSeconds);
const measured = parseFor(Number(seconds));
console.log(JSON.stringify({ ...measured, bytes: buffer.length / requestCount, seen }));
