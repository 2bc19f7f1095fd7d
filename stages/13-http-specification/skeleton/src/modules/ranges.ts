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
  // TODO 9a: ignored, not satisfiable, one, or several. And what does If-Range say?
  const isSame = isStillTheSame(request.head.fields.get(ifRangeName), validators);
  todo(`9a: ${wanted?.length} of ${size}, the same: ${isSame}; ${sendOne.name}, ${sendSeveral.name}`);
}

/** Whether the client's part is of the content that we have: without If-Range it does not ask (RFC 9110 §13.1.5). */
function isStillTheSame(ifRange: string | undefined, { etag, modifiedAt }: Validators): boolean {
  if (ifRange === undefined) return true;
  // TODO 9b: a tag has to match strongly; a date has to be exactly ours, and too old for another change in its second.
  return todo(`9b: ${ifRange} for ${etag} of ${modifiedAt} by ${[matchesStrongly, parseDate]}`);
}

function sendOne(response: Response, whole: BodyPart, range: ByteRange, size: number): void {
  // TODO 9c: 206, Content-Range, the type as it was, and a slice for the body.
  todo(`9c: ${contentRange(range, size)} of ${response.contentType}: ${slice.name} of ${whole.end}`);
}

/** `multipart/byteranges`: each part has a head of its own (RFC 9110 §14.6). */
function sendSeveral(response: Response, whole: BodyPart, wanted: ByteRange[], size: number): void {
  const boundary = randomUUID();
  // TODO 9d: each part begins with a delimiter, has a Content-Type and a Content-Range, an empty line, and its bytes; the last delimiter ends in `--`.
  // The length counts all of it.
  const parts: BodyPart[] = [];
  todo(
    `9d: ${wanted.length} of ${whole.end}/${size} in ${parts.length} parts: ${[response.status, boundary, text.name]}`,
  );
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

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
