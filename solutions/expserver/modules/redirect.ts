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
      const url = config.redirect_url as string;
      if (url.replace(/[?#].*$/, "") === config.req_path) {
        throw new ConfigError(
          `${keyPath}.redirect_url`,
          "leads back to this route, for ever; name another path",
        );
      }
      const status = config.http_status_code as number;
      const page = Buffer.from(pageFor(url));
      const body: BodyPart[] = [{ bytes: page, file: undefined, start: 0, end: page.length }];
      const location = Buffer.from(`Location: ${url}\r\n`);
      const contentFields = Buffer.from(
        `Content-Length: ${page.length}\r\nContent-Type: text/html; charset=utf-8\r\n`,
      );
      route.content = (_request, response) => {
        response.status = status;
        response.prepared = location;
        response.setBody(body, page.length, contentFields);
        response.send();
      };
    },
  };
}

/** What is wrong with a URL to redirect to. */
function problemOf(url: string): string | undefined {
  if (!isUriText(url)) return `has to be percent-encoded as URLs are, "${encodeUriText(url)}"`;
  if (url.startsWith("//")) return `has to say whether it is http or https, as in "https:${url}"`;
  if (url.startsWith("/")) return undefined;
  if (/^https?:\/\/[^/?#]/i.test(url) && URL.canParse(url)) return undefined;
  return 'has to be a path that begins with a slash, or a URL that begins with "http://" or "https://"';
}

/** For people whose program does not follow by itself (RFC 9110 §15.4.2). */
function pageFor(url: string): string {
  return `<!DOCTYPE html>\n<html lang="en">\n<title>Elsewhere</title>\n<p>This is at <a href="${escapeHtml(url)}">${escapeHtml(url)}</a>.</p>\n</html>\n`;
}
