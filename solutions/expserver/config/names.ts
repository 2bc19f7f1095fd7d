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
  if (name === "*") return "has to be a name; to take every name, leave the list empty";
  if (isNumericAddress(name.replace(/^\[(.*:.*)\]$/, "$1"))) {
    return name.includes(":") && !name.startsWith("[") ? `has to be in brackets, [${name}]` : undefined;
  }
  if (/^[^:]+:\d+$/.test(name)) return "has to be a name without a port, which belongs to listeners";
  if (name.endsWith(".") && name.length > 1)
    return `has to be written without the dot at its end, "${name.slice(0, -1)}"`;
  const labels = (name.startsWith("*.") ? name.slice(2) : name).split(".");
  if (labels.join().includes("*"))
    return 'has to have its asterisk alone in the first place, as in "*.example.org"';
  if (name.length <= 253 && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)))
    return undefined;
  const ascii = /[^ -~]/.test(name) ? domainToASCII(name) : "";
  return ascii === ""
    ? 'has to be a name such as "example.org" or "*.example.org"'
    : `has to be in its ASCII form, "${ascii}"`;
}

/** The path of a route. */
export function requestPathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return "has to begin with a slash";
  const end = path.search(/[?#]/);
  if (end !== -1) {
    return `has to be a path only: routes look at nothing behind the ${path[end] === "?" ? "question mark" : "number sign"}`;
  }
  if (!isUriText(path)) return `has to be percent-encoded as in a URL, "${encodeUriText(path)}"`;
  const normal = normalizePath(path);
  if (normal === undefined)
    return "has to be a path that a request can have: this one leads above the root, or an escape in it is malformed";
  return normal === path ? undefined : `has to be written as requests are compared with it, "${normal}"`;
}

/** Whether a text has only characters that a URI may have (RFC 3986 §2); escapes are well formed. */
export function isUriText(text: string): boolean {
  return /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/.test(text);
}

/** A text as it can stand in a URI: what may not is percent-encoded, escapes stay. */
export function encodeUriText(text: string): string {
  return encodeURI(Buffer.from(text).toString()).replace(/%25([0-9A-Fa-f]{2})/g, "%$1");
}
