/** Clients that send lines and expect them reversed. */
import type { CheckContext } from "../../engine/context.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";

/** The bytes of a message in reverse order; a final line end stays last. */
export function reversed(message: string | Uint8Array): Buffer {
  const bytes = Buffer.from(message as string);
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  return Buffer.concat([bytes.subarray(0, end).reverse(), bytes.subarray(end)]);
}

/** Sends one message and waits for its reversal. */
export async function exchange(
  client: TcpPeer,
  message: string | Uint8Array,
  withinMs?: number,
): Promise<void> {
  const expected = reversed(message);
  client.expectNothing(); // surplus of the reply before would else look like a wrong reply to this
  client.send(message);
  await client.expect(expected, { withinMs });
}

/** A server of the check's that reverses lines until its client ends sending; then it closes. */
export async function reverseLines(server: TcpPeer, received: Buffer[] = []): Promise<void> {
  for (;;) {
    const line = await server.readLine(60_000);
    if (line.length === 0) return server.end();
    received.push(line);
    server.send(reversed(line));
  }
}

const connectsAtOnce = 4;

/**
 * Lets many clients come, a few at the same time: more would overflow the queue in which connections wait
 * to be accepted, which may be as short as a program wants (`man 2 listen`); one at a time would take long
 * on a busy machine.
 * @param come what a client does, with its number from 0
 */
export async function letCome(number: number, come: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < number) await come(next++);
  };
  await Promise.all(Array.from({ length: connectsAtOnce }, lane));
}

/** Connects many clients and has each one greeted. They are in the order of connecting. */
export async function connectMany(
  context: CheckContext,
  server: { port: number },
  number: number,
): Promise<TcpPeer[]> {
  const clients: TcpPeer[] = [];
  await letCome(number, async (index) => {
    const client = await context.connect(server);
    clients[index] = client;
    await exchange(client, `client ${index + 1} says hello\n`);
  });
  return clients;
}
