import { expect, test } from "vitest";

import { disposables } from "./disposables.ts";

function item(name: string, log: string[], failure?: Error): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      log.push(name);
      if (failure) throw failure;
    },
  };
}

test("what was opened is closed when a later one fails, last first", async () => {
  const log: string[] = [];
  const open = async (): Promise<void> => {
    await using opened = disposables();
    opened.use(item("a", log));
    opened.use(item("b", log));
    throw new Error("c could not be opened");
  };
  await expect(open()).rejects.toThrow("c could not be opened");
  expect(log).toEqual(["b", "a"]);
});

test("released, they are the caller's", async () => {
  const log: string[] = [];
  const open = async (): Promise<() => Promise<void>> => {
    await using opened = disposables();
    opened.use(item("a", log));
    opened.use(item("b", log));
    return opened.release();
  };
  const close = await open();
  expect(log).toEqual([]);
  await close();
  expect(log).toEqual(["b", "a"]);
});

test("one that cannot be closed does not keep the others open", async () => {
  const log: string[] = [];
  const all = disposables();
  all.use(item("a", log));
  all.use(item("b", log, new Error("b is stuck")));
  all.use(item("c", log, new Error("c is stuck")));
  await expect(all[Symbol.asyncDispose]()).rejects.toThrow("c is stuck");
  expect(log).toEqual(["c", "b", "a"]);
});

test("none waits for another, and one that cannot be closed does not keep the others open", async () => {
  const log: string[] = [];
  let letGo = (): void => {};
  const slow = new Promise<void>((resolve) => (letGo = resolve));
  const all = disposables();
  all.use({ [Symbol.asyncDispose]: async () => (log.push("c"), letGo()) });
  all.use(item("b", log, new Error("b is stuck")));
  all.use({ [Symbol.asyncDispose]: () => slow });
  await expect(all[Symbol.asyncDispose]()).rejects.toThrow("b is stuck");
  expect(log).toEqual(["b", "c"]);
});
