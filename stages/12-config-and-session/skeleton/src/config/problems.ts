import type { z } from "expserver-course/zod";
import { ConfigError } from "./config-error.ts";
import { keyPathOf } from "./json.ts";
import { describedAt, explainUnknownKey, type SchemaNode } from "./schema-node.ts";

type Path = readonly PropertyKey[];

/**
 * Everything in which a value differs from a schema, in sentences. A schema may have messages of its own; one that begins with
 * "has to" is followed by what was found.
 * @param node the same schema as JSON Schema; it is asked for only when there is a problem
 */
export function problemsOf(schema: z.ZodType, node: () => SchemaNode, value: unknown): ConfigError[] {
  const result = schema.safeParse(value, { error: sentence, reportInput: true });
  if (result.success) return [];
  const described = node();
  return result.error.issues.flatMap((issue) => problemsOfIssue(issue, [], described, value));
}

function problemsOfIssue(
  issue: z.core.$ZodIssue,
  parent: Path,
  node: SchemaNode,
  root: unknown,
): ConfigError[] {
  const path = [...parent, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const explain = (key: string) => explainUnknownKey(node, path, root, key);
    return issue.keys.map((key) => new ConfigError(keyPath([...path, key]), `unknown key${explain(key)}`));
  }
  if (issue.code === "invalid_union") {
    // Where one alternative is of the right type and wrong only inside, what is wrong inside is told.
    const near = issue.errors.find((issues) =>
      issues.every((nested) => nested.path.length > 0 || nested.code === "unrecognized_keys"),
    );
    if (near !== undefined) return near.flatMap((nested) => problemsOfIssue(nested, path, node, root));
  }
  const found = valueAt(root, path);
  if (found === undefined) {
    const description = describedAt(node, path, root);
    const choices = issue.code === "invalid_union" ? ` It ${issue.message}.` : "";
    return [
      new ConfigError(keyPath(path), `is missing.${description === "" ? "" : ` ${description}`}${choices}`),
    ];
  }
  const ending = issue.message.startsWith("has to") ? `, not ${inWords(found)}` : "";
  return [new ConfigError(keyPath(path), issue.message + ending)];
}

/** What a value has to be, for an issue that zod found: `has to be a whole number`. */
function sentence(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
    case "invalid_value":
    case "invalid_union":
      return `has to be ${expected(issue)}`;
    case "too_small":
      return bound(issue, issue.minimum as number, issue.inclusive ? "at least" : "more than");
    case "too_big":
      return bound(issue, issue.maximum as number, issue.inclusive ? "at most" : "less than");
    default:
      return "has to be another value";
  }
}

function bound(issue: z.core.$ZodRawIssue, limit: number, comparison: string): string {
  if (issue.origin === "array" || issue.origin === "string") {
    const [unit, one] = issue.origin === "array" ? ["entries", "entry"] : ["characters", "character"];
    if (issue.code === "too_small" && limit === 1) return `is empty; it has to have at least one ${one}`;
    return `has ${issue.origin === "array" ? (issue.input as unknown[]).length : (issue.input as string).length} ${unit}, and has to have ${comparison} ${limit}`;
  }
  return `has to be ${comparison} ${limit}`;
}

const types: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function expected(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      const definition = (issue.inst as z.ZodType | undefined)?._zod.def as { format?: string } | undefined;
      return types[definition?.format === "safeint" ? "int" : issue.expected] ?? issue.expected;
    }
    case "invalid_value":
      return listed(issue.values.map((value) => JSON.stringify(value)));
    case "invalid_union": {
      const options = issue.options as unknown[] | undefined; // of a discriminated union
      if (options !== undefined) return listed(options.map((option) => JSON.stringify(option)));
      const alternatives = issue.errors.map(([first]) => first?.message.replace(/^has to be /, ""));
      return listed(alternatives.map((alternative) => alternative ?? "another value"));
    }
    default:
      return "another value";
  }
}

/** `a, b or c`. */
function listed(alternatives: string[]): string {
  const last = alternatives.at(-1)!;
  return alternatives.length === 1 ? last : `${alternatives.slice(0, -1).join(", ")} or ${last}`;
}

/** A value as it is told to whoever wrote it. */
export function inWords(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function keyPath(path: Path): string {
  return path.reduce<string>((parent, key) => keyPathOf(parent, key as string | number), "");
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], root);
}
