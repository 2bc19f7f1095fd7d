import { domainToASCII } from "node:url";
import { isNumericAddress } from "expserver-course/linux";
import { normalizePath } from "../http/request-path.ts";

// What is wrong with a name, path or address of the configuration: the rest of a sentence that begins with its key, or
// `undefined` when nothing is. What begins with "has to" is followed by what was found.

/** A host to listen on. A name is none: it can mean other addresses tomorrow, and several today. */
export function listenerHostProblem(host: string): string | undefined {
  if (/^::ffff:/i.test(host) && host.includes(".")) {
    return `has to be the IPv4 address itself, ${host.slice(host.lastIndexOf(":") + 1)}`;
  }
  if (isNumericAddress(host)) return undefined;
  if (isNumericAddress(host.replace(/^\[(.*)\]$/, "$1"))) return "has to be an IPv6 address without brackets";
  return "has to be a numeric address, such as 127.0.0.1 or ::1 (this machine only), 0.0.0.0 or :: (all of its addresses)";
}

/** A numeric address as the kernel writes it: an IPv6 address has many spellings. What is no address is returned as it is. */
export function canonicalHost(host: string): string {
  if (!host.includes(":") || !URL.canParse(`http://[${host}]`)) return host;
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

/** A name under which a server is asked for, as `Host` has it. */
export function hostnameProblem(name: string): string | undefined {
  // TODO 1b: labels of letters, digits, `-` and `_` with dots between them, or `*.` and such a name, or a numeric address. Say what to
  // write in the place of: an asterisk alone or in the middle, a port, a dot at the end, IPv6 without brackets, other letters than ASCII.
  return todo(`1b: what is wrong with the name ${name}, or ${domainToASCII.name} of it`);
}

/** The path of a route. */
export function requestPathProblem(path: string): string | undefined {
  // TODO 1a: a slash at the front, no query and no fragment, only characters of a URI, and nothing that normalizing would change. Where
  // there is a right form, the message has it.
  return todo(`1a: what is wrong with the path ${path}, of which the normal form is ${normalizePath(path)}`);
}

/** Whether a text has only characters that a URI may have (RFC 3986 §2); escapes are well formed. */
export function isUriText(text: string): boolean {
  return /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/.test(text);
}

/** A text as it can stand in a URI: what may not is percent-encoded, escapes stay. */
export function encodeUriText(text: string): string {
  return encodeURI(Buffer.from(text).toString()).replace(/%25([0-9A-Fa-f]{2})/g, "%$1");
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
