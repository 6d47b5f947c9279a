import type { Session } from "./session.ts";

/** A session that is opened when first asked for, and anew after it was lost. */
export interface RenewableSession extends AsyncDisposable {
  get: () => Promise<Session>;
  /** The open one; undefined before it is asked for and after it was dropped. */
  readonly current: Session | undefined;
  /** Ends what runs and forgets the session; the next `get` opens another. */
  drop: () => Promise<void>;
}

/** `prepare` makes a session that was opened ready for use; one that cannot be made ready is closed, for nobody else knows of it. */
export function renewable(open: () => Promise<Session>, prepare?: (session: Session) => Promise<void>): RenewableSession {
  let current: Session | undefined;
  let opening: Promise<Session> | undefined;
  /** Forgets the session; one that is being opened is waited for, or nobody would ever close it. */
  const take = async (): Promise<Session | undefined> => {
    const session = opening ? await opening.catch(() => undefined) : current;
    current = undefined;
    return session;
  };
  const renew = async (): Promise<Session> => {
    await current?.abort();
    current = undefined;
    const session = await open();
    try {
      await prepare?.(session);
    } catch (error) {
      await session.abort();
      throw error;
    }
    current = session;
    return session;
  };
  return {
    get current() {
      return current;
    },
    get: async () => {
      if (current?.alive) return current;
      opening ??= renew().finally(() => {
        opening = undefined;
      });
      return await opening;
    },
    drop: async () => {
      await (await take())?.abort();
    },
    [Symbol.asyncDispose]: async () => {
      await (await take())?.[Symbol.asyncDispose]();
    },
  };
}
