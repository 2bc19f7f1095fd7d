import type { Module } from "../config/module.ts";
import { matchesStrongly, matchesWeakly } from "../http/entity-tag.ts";
import { FieldName } from "../http/fields.ts";
import { parseDate } from "../http/parse-date.ts";
import type { Request } from "../http/request.ts";
import type { Response, Validators } from "../http/response.ts";

const ifMatch = new FieldName("if-match");
const ifUnmodifiedSince = new FieldName("if-unmodified-since");
const ifNoneMatch = new FieldName("if-none-match");
const ifModifiedSince = new FieldName("if-modified-since");

/** Conditional requests for content that has validators (RFC 9110 §13). */
export function conditionals(): Module {
  return {
    name: "conditionals",
    setUpRoute({ route }) {
      route.filters.push(applyConditions);
    },
  };
}

/** Answers 412 or 304 where the request's conditions ask for that. */
function applyConditions(request: Request, response: Response): void {
  const { validators } = response;
  // TODO 7b: only for a 200 with validators. 412 by `response.setError`; 304 is a status without a body.
  if (validators !== undefined) todo(`7b: ${evaluate(request, validators)} instead of ${response.status}`);
}

/** The conditions in the order in which they count (RFC 9110 §13.2.2); a field that is malformed says nothing. */
function evaluate(request: Request, { etag, modifiedAt }: Validators): 200 | 304 | 412 {
  // TODO 7a: If-Match, else If-Unmodified-Since; then If-None-Match, else If-Modified-Since.
  const { fields } = request.head;
  const given = [ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince].map((name) => fields.get(name));
  return todo(`7a: ${given} for ${etag} of ${modifiedAt} by ${[matchesStrongly, matchesWeakly, dateOf]}`);
}

function dateOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : parseDate(value);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
