import { randomUUID } from "node:crypto";
import type { Module } from "../config/module.ts";
import { matchesStrongly } from "../http/entity-tag.ts";
import { FieldName } from "../http/fields.ts";
import { parseDate } from "../http/parse-date.ts";
import { type ByteRange, parseRange } from "../http/range.ts";
import type { Request } from "../http/request.ts";
import type { BodyPart, Response, Validators } from "../http/response.ts";

const rangeName = new FieldName("range");
const ifRangeName = new FieldName("if-range");

/** Parts of content that has validators (RFC 9110 §14). */
export function ranges(): Module {
  return {
    name: "ranges",
    setUpRoute({ route }) {
      route.filters.push(applyRange);
    },
  };
}

/** Answers 206 or 416 where the request asks for a part. */
function applyRange(request: Request, response: Response): void {
  const { validators } = response;
  if (validators === undefined || response.status !== 200) return;
  response.fields.add("Accept-Ranges", "bytes");
  const value = request.head.fields.get(rangeName);
  // Ranges are defined for GET alone (RFC 9110 §14.2).
  if (value === undefined || request.head.method !== "GET") return;
  const [whole, ...others] = response.parts;
  if (whole === undefined || others.length > 0) return;
  const size = whole.end - whole.start;
  const wanted = parseRange(value, size);
  if (wanted === undefined || !isStillTheSame(request.head.fields.get(ifRangeName), validators)) return;
  if (wanted.length === 0) {
    response.setError(416);
    response.fields.set("Content-Range", `bytes */${size}`);
  } else if (wanted.length === 1) {
    sendOne(response, whole, wanted[0]!, size);
  } else {
    sendSeveral(response, whole, wanted, size);
  }
}

/** Whether the client's part is of the content that we have: without If-Range it does not ask (RFC 9110 §13.1.5). */
function isStillTheSame(ifRange: string | undefined, { etag, modifiedAt }: Validators): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.endsWith('"')) return ifRange !== "*" && matchesStrongly(ifRange, etag);
  // In the second of a change there may be another one, and the date would not tell.
  return parseDate(ifRange) === modifiedAt && modifiedAt < Math.floor(Date.now() / 1000);
}

function sendOne(response: Response, whole: BodyPart, range: ByteRange, size: number): void {
  response.status = 206;
  response.fields.set("Content-Range", contentRange(range, size));
  response.fields.set("Content-Type", response.contentType);
  response.setBody([slice(whole, range)], range.end - range.start);
}

/** `multipart/byteranges`: each part has a head of its own (RFC 9110 §14.6). */
function sendSeveral(response: Response, whole: BodyPart, wanted: ByteRange[], size: number): void {
  const boundary = randomUUID();
  const parts: BodyPart[] = [];
  let length = 0;
  const add = (part: BodyPart) => {
    parts.push(part);
    length += part.end - part.start;
  };
  for (const range of wanted) {
    const type = `Content-Type: ${response.contentType}\r\n`;
    add(text(`\r\n--${boundary}\r\n${type}Content-Range: ${contentRange(range, size)}\r\n\r\n`));
    add(slice(whole, range));
  }
  add(text(`\r\n--${boundary}--\r\n`));
  response.status = 206;
  response.fields.set("Content-Type", `multipart/byteranges; boundary=${boundary}`);
  response.setBody(parts, length);
}

function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

/** A piece of a part, with a reference of its own to the file. */
function slice(part: BodyPart, { start, end }: ByteRange): BodyPart {
  part.file?.retain();
  return { ...part, start: part.start + start, end: part.start + end };
}

function text(content: string): BodyPart {
  const bytes = Buffer.from(content);
  return { bytes, file: undefined, start: 0, end: bytes.length };
}
