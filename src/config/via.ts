import { PgdittoError } from "../errors.ts";
import { type HeldBack, holdingBack } from "./strategy.ts";

interface Through extends HeldBack {
  via: string;
  strategy: string;
  pgDump: string;
  resume: boolean;
  keepDumps: boolean;
  formatGiven: boolean;
}

/** Other programs move the rows: nothing of ours holds them back, or knows how far they had come. @throws PgdittoError `usage` naming both flags. */
export function refuseHalfDump(config: Through): void {
  const { via, strategy, pgDump, resume, keepDumps, formatGiven } = config;
  if (via !== "dump") {
    const idle = [...(keepDumps ? ["--keep-dumps"] : []), ...(formatGiven ? ["--dump-format"] : [])];
    if (idle.length === 0) return;
    throw new PgdittoError("usage", `${idle.join(" and ")} without --via dump: there is no dump folder.`, {
      object: idle[0],
      hint: `Add --via dump, or leave out ${idle.join(" and ")}.`,
    });
  }
  const others = [
    ...holdingBack(config),
    ...(resume ? ["--resume"] : []),
    ...(strategy === "template" ? ["--strategy template"] : []),
    ...(pgDump === "wasm" ? ["--pg-dump wasm"] : []),
  ];
  if (others.length === 0) return;
  throw new PgdittoError(
    "usage",
    `--via dump and ${others.join(", ")} contradict each other: an installed pg_dump and pg_restore move the rows.`,
    {
      object: "--via",
      hint: `Leave out ${others.join(", ")}, or --via dump (--via stream is the default).`,
    },
  );
}
