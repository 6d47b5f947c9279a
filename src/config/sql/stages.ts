/** When the user's SQL runs. */
export type SqlStage = "before" | "after-schema" | "after-data" | "after";

/** In the order of a run. */
export const SQL_STAGES: readonly SqlStage[] = ["before", "after-schema", "after-data", "after"];

/** What belongs to each stage; without a key: nothing. */
export type ByStage<T> = { readonly [stage in SqlStage]?: T | undefined };
