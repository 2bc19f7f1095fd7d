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
  if (validators === undefined || response.status !== 200) return;
  const status = evaluate(request, validators);
  if (status === 412) {
    response.setError(412);
  } else if (status === 304) {
    response.status = 304;
    response.dropBody();
  }
}

/** The conditions in the order in which they count (RFC 9110 §13.2.2); a field that is malformed says nothing. */
function evaluate(request: Request, { etag, modifiedAt }: Validators): 200 | 304 | 412 {
  const { fields } = request.head;
  const match = fields.get(ifMatch);
  if (match !== undefined) {
    if (!matchesStrongly(match, etag)) return 412;
  } else {
    const unmodifiedSince = dateOf(fields.get(ifUnmodifiedSince));
    if (unmodifiedSince !== undefined && modifiedAt > unmodifiedSince) return 412;
  }
  const noneMatch = fields.get(ifNoneMatch);
  if (noneMatch !== undefined) return matchesWeakly(noneMatch, etag) ? 304 : 200;
  const modifiedSince = dateOf(fields.get(ifModifiedSince));
  // A date that lies ahead was never one of ours (RFC 9110 §13.1.3).
  const isPast = modifiedSince !== undefined && modifiedSince <= Date.now() / 1000;
  return isPast && modifiedAt <= modifiedSince ? 304 : 200;
}

function dateOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : parseDate(value);
}
