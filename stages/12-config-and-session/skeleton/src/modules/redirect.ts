import { z } from "expserver-course/zod";
import { ConfigError } from "../config/config-error.ts";
import type { Module } from "../config/module.ts";
import { encodeUriText, isUriText } from "../config/names.ts";
import { type BodyPart, escapeHtml } from "../http/response.ts";

/**
 * Routes that send clients elsewhere (RFC 9110 §15.4). Every request gets `redirect_url` as it stands: neither the rest of its
 * path nor its query is added, so what the client is sent to is what the configuration says.
 */
export function redirect(): Module {
  return {
    name: "redirect",
    routeType: {
      type: "redirect",
      keys: {
        // Not 301: browsers keep a permanent redirect for ever, and a mistake in one cannot be taken back.
        http_status_code: z
          .literal([301, 302, 303, 307, 308])
          .default(302)
          .describe(
            "301 and 308 are for ever, 302 and 307 for now; 307 and 308 keep the method; 303 asks for another page by GET.",
          ),
        redirect_url: z
          .string()
          .superRefine((url, context) => {
            const problem = problemOf(url);
            if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
          })
          .describe(
            "Where clients are sent: a URL such as https://example.org/new, or a path such as /new. Sent as it stands.",
          ),
      },
    },
    setUpRoute({ config, keyPath, route }) {
      if (config.type !== "redirect") return;
      // TODO 9b: everything that every answer has is made once, here: the page, its fields, the Location. A URL that leads back to this route is a
      // ConfigError.
      const url = config.redirect_url as string;
      const parts: BodyPart[] = [];
      todo(
        `9b: ${keyPath} ${route.prefix} to ${pageFor(url)} in ${parts.length} parts, or ${ConfigError.name}`,
      );
    },
  };
}

/** What is wrong with a URL to redirect to. */
function problemOf(url: string): string | undefined {
  // TODO 9c: only characters of a URI, and a path or an http or https URL: what else would a browser make of it?
  return todo(`9c: what is wrong with ${url}: ${isUriText(url)} ${encodeUriText(url)}`);
}

/** For people whose program does not follow by itself (RFC 9110 §15.4.2). */
function pageFor(url: string): string {
  return `<!DOCTYPE html>\n<html lang="en">\n<title>Elsewhere</title>\n<p>This is at <a href="${escapeHtml(url)}">${escapeHtml(url)}</a>.</p>\n</html>\n`;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
