import { describe, expect, test, vi } from "vitest";

import { PgdittoError } from "../../errors.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { Session } from "../../postgres/session.ts";
import type { RunPlanResult } from "./run-plan.ts";
import type { Run } from "../run.ts";
import { watchSettings } from "./settings-advice.ts";

const GB = 1024 ** 3;
const RUN = { config: { jobs: 4, batchSize: 1 }, signal: new AbortController().signal } as unknown as Run;
const PLAN = { tasks: [{ id: "copy:1", kind: "copy" }] } as unknown as Plan;

/** One table's rows. */
function moved(bytes: number): RunPlanResult {
  return { counts: new Map(), copied: new Map([["copy:1", { rows: 1, bytes, ms: 1 }]]), durations: new Map() };
}

/** A server whose counters are what the test says, whatever is asked. */
function counters(answers: ReadonlyArray<{ wal: number; requested: number } | Error>) {
  const left = [...answers];
  const rest = { since: "x", walText: "1GB", walBytes: String(GB), timeout: 300, target: 0.9 };
  const more = { memText: "64MB", memBytes: "67108864", maintenance: 2, parallel: 8 };
  const query = vi.fn<(text: string) => Promise<object[]>>(async (text) => {
    if (text.includes("pg_am")) return [];
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return answer
      ? [{ wal: String(answer.wal), requested: String(answer.requested), sync: answer.requested * 5000, ...rest, ...more }]
      : [];
  });
  return { query, session: async () => ({ serverVersion: 170_002, query }) as unknown as Session };
}

describe("what is made of two readings", () => {
  const settings = async (session: () => Promise<Session>, bytes: number, ms = 60_000): Promise<string[]> => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const advise = await watchSettings(RUN, session);
      vi.advanceTimersByTime(ms);
      return (await advise(PLAN, moved(bytes))).map(({ setting, better }) => `${setting} ${better}`);
    } finally {
      vi.useRealTimers();
    }
  };
  const BEFORE = { wal: 0, requested: 0 };
  const AFTER = { wal: 4 * GB, requested: 6 };

  test("advice after a long run", async () => {
    expect(await settings(counters([BEFORE, AFTER]).session, 4 * GB)).toEqual(["max_wal_size 8GB"]);
  });

  test("a small run reads once, and gets none", async () => {
    for (const [bytes, ms] of [
      [1000, 60_000],
      [4 * GB, 20_000],
    ] as const) {
      const { session, query } = counters([BEFORE, AFTER]);
      expect(await settings(session, bytes, ms)).toEqual([]);
      expect(query).toHaveBeenCalledTimes(1);
    }
  });

  const denied = new PgdittoError("server", "permission denied for view pg_stat_bgwriter", { sqlstate: "42501" });
  test.each([
    ["before", [denied, AFTER]],
    ["after", [BEFORE, denied]],
  ] as const)("a role that may not read the counters gets none, and no error: %s", async (_, answers) => {
    expect(await settings(counters(answers).session, 4 * GB)).toEqual([]);
  });

  test("neither does a connection that cannot be opened", async () => {
    expect(await settings(() => Promise.reject(denied), 4 * GB)).toEqual([]);
  });
});
