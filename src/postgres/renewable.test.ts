import { describe, expect, test, vi } from "vitest";

import { renewable } from "./renewable.ts";
import type { Session } from "./session.ts";

/** Sessions that only know whether they are open, and openings that end when told to. */
function fake() {
  const open = new Set<number>();
  const waiting: Array<(error?: Error) => void> = [];
  let opened = 0;
  const session = renewable(async () => {
    await new Promise<void>((resolve, reject) => waiting.push((error) => (error ? reject(error) : resolve())));
    const id = (opened += 1);
    open.add(id);
    const end = async (): Promise<void> => void open.delete(id);
    return {
      id,
      get alive() {
        return open.has(id);
      },
      abort: end,
      [Symbol.asyncDispose]: end,
    } as unknown as Session;
  });
  const finish = async (error?: Error): Promise<void> => {
    await vi.waitFor(() => expect(waiting).not.toEqual([]));
    waiting.shift()?.(error);
  };
  return { session, open, finish, kill: () => open.clear(), waiting };
}

describe("a session that is opened when asked for", () => {
  test("stays the same while it is alive, and is another one after it was lost or dropped", async () => {
    const { session, open, finish, kill } = fake();
    expect(session.current).toBeUndefined();
    const first = session.get();
    await finish();
    expect(await session.get()).toBe(await first);
    expect(session.current).toBe(await first);
    kill();
    const second = session.get();
    await finish();
    expect(await second).not.toBe(await first);
    await session.drop();
    expect([...open]).toEqual([]);
  });

  test("two who ask at once get the same one", async () => {
    const { session, finish, waiting } = fake();
    const both = [session.get(), session.get()];
    await finish();
    expect(waiting).toHaveLength(0);
    expect(await both[0]).toBe(await both[1]);
  });

  test.each(["drop", Symbol.asyncDispose] as const)("%s waits for one that is being opened, and closes it", async (end) => {
    const { session, open, finish } = fake();
    const asked = session.get();
    const ended = session[end]();
    await finish();
    await asked;
    await ended;
    expect([...open]).toEqual([]);
  });

  test("an opening that fails is told to whoever asked, not to whoever closes", async () => {
    const { session, finish } = fake();
    const asked = session.get();
    const ended = session[Symbol.asyncDispose]();
    await finish(new Error("no"));
    await expect(asked).rejects.toThrow("no");
    await ended;
    const again = session.get();
    await finish();
    expect((await again).alive).toBe(true);
  });
});
