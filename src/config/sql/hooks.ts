import { kindOf } from "../endpoint-object.ts";
import { type Origin, refuse } from "../origin.ts";
import { SQL_STAGES, type SqlStage } from "./stages.ts";

/** What a hook is given: one session in the staging database, which is closed when the hook is through. */
export interface HookSession {
  readonly stage: SqlStage;
  /** Name of the staging database. */
  readonly database: string;
  /** Aborted when the run ends before the hook does: its statements are cancelled, and nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** One statement, with values for `$1`, `$2` …; all its rows. @throws PgdittoError with the SQLSTATE. */
  readonly query: <Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Any number of statements in one round trip, in one transaction unless they say otherwise (manual 55.2.2.1). @throws PgdittoError */
  readonly run: (text: string) => Promise<void>;
}

/** What it throws ends the run before the swap. */
export type SqlHook = (session: HookSession) => unknown;

/** By stage; without a key: none. */
export type SqlHooks = { readonly [stage in SqlStage]?: SqlHook | undefined };

/** @throws PgdittoError that names the key. */
export function checkHooks(value: unknown, origin: Origin): SqlHooks {
  const hint = `Write hooks: { "after-data": async ({ query }) => { ... } }; the stages are ${SQL_STAGES.join(", ")}.`;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse(origin, `the value is ${kindOf(value)}, not an object of functions.`, hint);
  for (const [stage, hook] of Object.entries(value) as Array<[string, unknown]>) {
    const place = { ...origin, name: `${origin.name}.${stage}` };
    if (!SQL_STAGES.some((known) => known === stage)) throw refuse(place, "there is no such stage.", hint);
    if (hook !== undefined && typeof hook !== "function") throw refuse(place, `the value is ${kindOf(hook)}, not a function.`, hint);
  }
  // each has just been looked at; what a function takes cannot be
  return value;
}
