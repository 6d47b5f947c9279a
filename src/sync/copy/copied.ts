import type { Advice } from "../../events.ts";
import type { Session } from "../../postgres/session.ts";
import type { SyncResult } from "../result.ts";

/** A staging database that is filled and verified, in whatever way. */
export interface Copied extends Pick<SyncResult, "tables" | "rows" | "bytes"> {
  /** Set when the control session was lost and taken anew; to be closed by whoever swaps in. */
  regained: Session | undefined;
  advice: readonly Advice[];
}
