export interface Disposables extends AsyncDisposable {
  use: <T extends AsyncDisposable>(item: T) => T;
  /** Gives the duty to dispose to the caller, as a function. */
  release: () => () => Promise<void>;
}

/** Disposes what was opened, last first, unless it was released: for opening several things of which a later one may fail. */
export function disposables(): Disposables {
  let list: AsyncDisposable[] = [];
  const dispose = async (items: readonly AsyncDisposable[]): Promise<void> => {
    const failures: unknown[] = [];
    for (const item of items.toReversed()) {
      try {
        await item[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error); // the others are closed all the same
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  return {
    use: (item) => {
      list.push(item);
      return item;
    },
    release: () => {
      const items = list;
      list = [];
      return () => dispose(items);
    },
    [Symbol.asyncDispose]: () => dispose(list),
  };
}

/** Disposes what does not need each other at the same time; all of it, whatever fails. */
export async function disposeTogether(items: readonly AsyncDisposable[]): Promise<void> {
  const ends = await Promise.allSettled(items.map((item) => item[Symbol.asyncDispose]()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
