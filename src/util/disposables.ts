export interface Disposables extends AsyncDisposable {
  use: <T extends AsyncDisposable>(item: T) => T;
  /** Gives the duty to dispose to the caller, as a function. */
  release: () => () => Promise<void>;
}

/**
 * Disposes what was opened, unless it was released: for opening several things of which a later one may fail. None needs another, so they go at
 * the same time, begun with the last: a backend takes some milliseconds to leave.
 */
export function disposables(): Disposables {
  let list: AsyncDisposable[] = [];
  const dispose = async (items: readonly AsyncDisposable[]): Promise<void> => {
    const ends = await Promise.allSettled(items.toReversed().map(async (item) => await item[Symbol.asyncDispose]()));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
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
