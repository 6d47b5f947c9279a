/** A hint without its word that the target is as it was, where that would not be true. */
export function withoutState(hint = ""): string {
  return hint.replace(/\s*(The (live )?target is as it was|Nothing was swapped)[^.]*\./gi, "").trim();
}
