import { createHash } from "node:crypto";

import type { SqlHook } from "../config/sql/hooks.ts";
import type { Script } from "../config/sql/parse-script.ts";
import type { SqlStage } from "../config/sql/stages.ts";

/** One thing of the user's own that a run does. */
export interface SqlStep {
  stage: SqlStage;
  /** The file's name, or `hook`. */
  name: string;
  /** The journal's key; the same in a later run for the same thing at the same place. */
  key: string;
  work: { script: Script } | { hook: SqlHook };
}

const PREFIX = "sql:";

export function makeStep(stage: SqlStage, number: number, work: SqlStep["work"]): SqlStep {
  const isScript = "script" in work;
  const name = isScript ? work.script.name : `hook ${stage}`;
  // a function's text is not all that it does, but another text is another function
  const digest = isScript ? work.script.digest : createHash("sha256").update(work.hook.toString()).digest("base64url").slice(0, 22);
  return { stage, name, key: `${PREFIX}${stage}:${number}:${digest}`, work };
}

/** Whether it is either done and noted, or not done at all: then another attempt does no harm. Behind the proof there is no journal any more. */
export function isRepeatable({ stage, work }: SqlStep): boolean {
  return stage !== "after" && "script" in work && work.script.transaction;
}

/** Keys of the journal that are about the user's own SQL, and no schema entries. */
export function isSqlKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

const BEGUN = "/begun";

/** The journal's key for what cannot be noted along with its effect: it may have had some. */
export function begunKey({ key }: SqlStep): string {
  return `${key}${BEGUN}`;
}

/**
 * Why a run cannot go on with a database in which the user's SQL has left these keys in the journal; undefined: it can, and does nothing of it again.
 */
export function sqlInTheWay(applied: ReadonlySet<string>): string | undefined {
  const keys = [...applied].filter(isSqlKey);
  // rows are counted and compared anew by every run, and these are not the source's any more
  if (keys.some((key) => key.startsWith(`${PREFIX}after-data:`))) return "own SQL of the stage after-data has been at work on the rows";
  const half = keys.some((key) => key.endsWith(BEGUN) && !applied.has(key.slice(0, -BEGUN.length)));
  return half ? "own SQL that is not one transaction had begun, and may have done a part of its work" : undefined;
}
