import { PgdittoError } from "../errors.ts";
import type { OptionSpec } from "./option-spec.ts";
import { type OwnSql, stagesInUse } from "./own-sql.ts";
import { SELECTION, type Selection, SELECTION_KEYS } from "./selection-options.ts";

/** The options in use that leave something out, or give it to somebody else, as their flags. */
export function leavingOut(config: Selection): string[] {
  return SELECTION_KEYS.filter((key) => {
    const value = config[key];
    return typeof value === "boolean" ? value : value.length > 0;
  }).map((key) => {
    const { flag, env }: OptionSpec = SELECTION[key];
    return `--${flag}${env === undefined ? "" : ` (${env})`}`;
  });
}

/** Limits on how fast rows are copied. */
export interface HeldBack {
  rateLimit: number | undefined;
  maxReplicationLag: number | undefined;
}

/** Those in use, as their flags: nobody can hold back what the server copies by itself. */
export function holdingBack({ rateLimit, maxReplicationLag }: HeldBack): string[] {
  return [...(rateLimit === undefined ? [] : ["--rate-limit"]), ...(maxReplicationLag === undefined ? [] : ["--max-replication-lag"])];
}

/** `template` copies files, whole and at once: there is nothing that it could leave out, hold back, or go on with. @throws PgdittoError `usage` naming the flags. */
export function refuseHalfTemplate(config: Selection & HeldBack & { strategy: string; resume: boolean; sql: OwnSql }): void {
  const others = [
    ...leavingOut(config),
    ...holdingBack(config),
    ...(config.resume ? ["--resume"] : []),
    // there is no moment between schema and rows, and the copy has to be what was counted
    ...stagesInUse(config.sql).flatMap(({ stage, written }) => (stage === "after" ? [] : [written])),
  ];
  if (config.strategy !== "template" || others.length === 0) return;
  throw new PgdittoError(
    "usage",
    `--strategy template and ${others.join(", ")} contradict each other: it copies the whole database as it is, in one step.`,
    {
      object: "--strategy",
      hint: `Leave out ${others.join(", ")}, or --strategy template.`,
    },
  );
}
