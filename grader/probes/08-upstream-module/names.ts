/** A resolver of the probe's own: names with the addresses that the probe needs, and nobody else is asked. */
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

type Found = { address: string; family: number };
type Callback = (error: NodeJS.ErrnoException | null, found?: Found[] | string, family?: number) => void;

/**
 * Replaces Node's resolver, in its form with a callback and in that with a promise.
 * @param names addresses by name, or the code of the error
 * @param until what an answer waits for; it comes from Node's loop, as a real one does
 * @returns the names that were asked for, so far
 */
export function nameAddresses(
  names: Record<string, string[] | string>,
  until: Promise<void> = Promise.resolve(),
): { asked: string[] } {
  const asked: string[] = [];
  const answer = (host: string): Found[] => {
    const addresses = names[host] ?? "ENOTFOUND";
    if (typeof addresses === "string") {
      throw Object.assign(new Error(`getaddrinfo ${addresses} ${host}`), { code: addresses });
    }
    return addresses.map((address) => ({ address, family: 4 }));
  };
  const ask = (host: string): Promise<Found[]> => {
    asked.push(host);
    return new Promise((resolve) => setTimeout(resolve, 1)).then(() => until).then(() => answer(host));
  };
  const wantsAll = (options: unknown) => (options as { all?: boolean } | undefined)?.all === true;
  const lookup = (host: string, options: unknown, callback?: Callback) => {
    const tell = (callback ?? options) as Callback;
    ask(host).then(
      // As Node does it, outside of the promise: what the callback throws has no other catcher.
      (found) =>
        setImmediate(() =>
          wantsAll(options) ? tell(null, found) : tell(null, found[0]?.address, found[0]?.family),
        ),
      (error: NodeJS.ErrnoException) => setImmediate(() => tell(error)),
    );
  };
  const promised = async (host: string, options?: unknown) => {
    const found = await ask(host);
    return wantsAll(options) ? found : found[0];
  };
  Object.assign(dns, { lookup });
  Object.assign(dns.promises, { lookup: promised });
  syncBuiltinESMExports();
  return { asked };
}
