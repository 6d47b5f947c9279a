import type { PhaseNumber } from "../../events.ts";

/** The original script's, by name. */
export const DUMP_PHASES: Readonly<Record<PhaseNumber, string>> = {
  1: "Schema Synchronization",
  2: "Data Export",
  3: "Data Import",
  4: "Validation",
};
