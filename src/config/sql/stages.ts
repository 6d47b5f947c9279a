/** When the user's SQL runs. */
export type SqlStage = "before" | "after-schema" | "after-data" | "after";

/** In the order of a run. */
export const SQL_STAGES: readonly SqlStage[] = ["before", "after-schema", "after-data", "after"];
