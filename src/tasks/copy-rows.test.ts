import { expect, test, vi } from "vitest";

import type { CopyTask } from "../plan/task.ts";
import type { Session } from "../postgres/session.ts";
import type { TaskContext } from "./context.ts";
import { copyRows } from "./copy-rows.ts";
import { NOTHING_HELD } from "./journal.ts";

test("a run that is cancelled while the sessions are being opened begins no copy: nobody would stop it", async () => {
  const controller = new AbortController();
  const session = {
    copyIn: vi.fn<() => void>(),
    copyOut: vi.fn<() => void>(),
    run: vi.fn<() => void>(),
    abort: async () => undefined,
  } as unknown as Session;
  const context = {
    signal: controller.signal,
    attempt: 1,
    journal: { schema: "j", boundary: Promise.resolve("3"), held: NOTHING_HELD },
    source: async () => session,
    target: async () => {
      controller.abort(new Error("another task failed"));
      return session;
    },
  } as unknown as TaskContext;
  const task = {
    copies: [{ id: "copy:1", object: "public.t", format: "text", freeze: false, table: { schema: "public", name: "t", columns: [] } }],
  } as unknown as CopyTask;
  await expect(copyRows(task, context)).rejects.toMatchObject({ code: "cancelled" });
  expect(session.copyOut).not.toHaveBeenCalled();
  expect(session.copyIn).not.toHaveBeenCalled();
});
