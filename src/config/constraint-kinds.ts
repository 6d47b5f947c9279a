import { nearest } from "../util/nearest.ts";
import { refuse } from "./origin.ts";

/** What `pgditto constraints` takes off. A primary key stays. */
export const CONSTRAINT_KINDS = ["foreign-key", "check", "unique", "exclusion", "not-null"] as const;
export type ConstraintKind = (typeof CONSTRAINT_KINDS)[number];

/** Other words that people have for them; no number of letters leads from the one to the other. */
const ALSO: Readonly<Record<string, ConstraintKind>> = {
  fk: "foreign-key",
  fkey: "foreign-key",
  foreign: "foreign-key",
  reference: "foreign-key",
  references: "foreign-key",
  ck: "check",
  uq: "unique",
  uk: "unique",
  key: "unique",
  ex: "exclusion",
  exclude: "exclusion",
  nn: "not-null",
  null: "not-null",
};

/**
 * Reads `--kind`: several in one word, separated by commas, and several such words. None means all.
 * @throws PgdittoError `usage` with the kind that was probably meant.
 */
export function parseKinds(texts: readonly string[]): ConstraintKind[] {
  const words = texts.flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== "");
  if (words.length === 0 && texts.length === 0) return [...CONSTRAINT_KINDS];
  const kinds = words.map(parseKind);
  if (kinds.length === 0) throw refuse(ORIGIN, "there is no kind in it.", `The kinds are ${CONSTRAINT_KINDS.join(", ")}.`);
  return CONSTRAINT_KINDS.filter((kind) => kinds.includes(kind));
}

const ORIGIN = { code: "usage", name: "--kind" } as const;

function parseKind(word: string): ConstraintKind {
  const plain = word.toLowerCase().replaceAll("_", "-");
  const kind = CONSTRAINT_KINDS.find((known) => known === plain);
  if (kind) return kind;
  if (/^(?:pk|pkey|primary(?:-?key)?)$/.test(plain))
    throw refuse(ORIGIN, `a primary key stays where it is.`, `The kinds are ${CONSTRAINT_KINDS.join(", ")}.`);
  const near = ALSO[plain] ?? nearest(plain, CONSTRAINT_KINDS, 1)[0];
  throw refuse(
    ORIGIN,
    `"${word}" is no kind of constraint.`,
    near === undefined ? `The kinds are ${CONSTRAINT_KINDS.join(", ")}.` : `Did you mean ${near}?`,
  );
}
