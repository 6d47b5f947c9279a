/** How deep a statement is within BEGIN … END, word by word. */
interface BlockDepth {
  word: (upper: string) => void;
  depth: () => number;
}

const START = /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) /;

/**
 * Semicolons in the body of a function in SQL (`BEGIN ATOMIC … END`, PostgreSQL 14) end no statement. psql counts BEGIN, CASE and END behind
 * CREATE FUNCTION (psqlscan.l), and so does this.
 */
export function blockDepth(): BlockDepth {
  let first = "";
  let seen = 0;
  let depth = 0;
  return {
    word: (upper) => {
      if (seen < 4) first += `${upper} `;
      seen += 1;
      if (!START.test(first)) return;
      if (upper === "BEGIN" || (upper === "CASE" && depth > 0)) depth += 1;
      else if (upper === "END" && depth > 0) depth -= 1;
    },
    depth: () => depth,
  };
}
