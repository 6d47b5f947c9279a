import type { Session } from "./session.ts";

/** A session that is opened when first asked for, and anew after it was lost. */
export interface RenewableSession extends AsyncDisposable {
  get: () => Promise<Session>;
  /** Ends what runs and forgets the session; the next `get` opens another. */
  drop: () => Promise<void>;
}

export function renewable(open: () => Promise<Session>): RenewableSession {
  let current: Session | undefined;
  const drop = async (): Promise<void> => {
    const session = current;
    current = undefined;
    await session?.abort();
  };
  return {
    get: async () => {
      if (!current?.alive) {
        await drop();
        current = await open();
      }
      return current;
    },
    drop,
    [Symbol.asyncDispose]: async () => {
      const session = current;
      current = undefined;
      await session?.[Symbol.asyncDispose]();
    },
  };
}
