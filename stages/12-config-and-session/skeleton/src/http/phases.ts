import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import type { Session } from "./session.ts";

/**
 * Looks at a request before its content is chosen.
 * @returns true when it has answered, or will: nobody else is asked then
 */
export type AccessHandler = (request: Request, response: Response) => boolean;

/** Looks at a request and does something beside. */
export type Observer = (request: Request, response: Response) => void;

/** What happens to all requests of a session, whatever their route. Features add to these lists. */
export class SessionPhases {
  /** A connection waits for a request: it is new, or has been answered. */
  readonly idle: ((session: Session) => void)[] = [];
  /** The first byte of a request has come. */
  readonly headStart: ((session: Session) => void)[] = [];
  /** The head is complete and good, and no route has been looked for. */
  readonly head: AccessHandler[] = [];
  /** A handler wants the body, and nothing of it has come yet. */
  readonly bodyWanted: Observer[] = [];
  /** The response has been handed over. */
  readonly done: Observer[] = [];
}
