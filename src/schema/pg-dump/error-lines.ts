/** Lines kept for the error; a failed query can be longer than anybody reads. */
const KEEP_LINES = 20;
const KEEP_CHARACTERS = 500;

/** Lines worth keeping: pg_dump's other lines are what `--verbose` tells ("pg_dump: reading extensions"). */
const SERIOUS = /^pg_(?:dump|restore): (?:error|detail|hint|warning): /;

/** Lines kept in case none is serious: some of pg_dump's last words do not begin with its name. */
const TAIL_LINES = 3;

/** Sifts pg_dump's stderr while it comes, so that the chatter of a hundred thousand objects takes no memory. */
export interface ErrorLines {
  push: (text: string) => void;
  /** The last serious lines, with the beginning of what belongs to them. */
  readonly lines: string[];
}

export function createErrorLines(): ErrorLines {
  const kept: string[] = [];
  const tail: string[] = [];
  let partial = "";
  let serious = true; // a line without pg_dump's name belongs to the one before; before the first, it is the loader's or a wrapper's
  const take = (line: string): void => {
    if (/^pg_(?:dump|restore): /.test(line)) serious = SERIOUS.test(line);
    if (line.trim() === "") return;
    if (!serious) {
      tail.push(shorten(line));
      if (tail.length > TAIL_LINES) tail.shift();
      return;
    }
    if (kept.length >= KEEP_LINES) {
      if (!SERIOUS.test(line)) return; // the tail of a long query says less than the error it belongs to
      kept.shift();
    }
    kept.push(shorten(line));
  };
  return {
    push: (text) => {
      const lines = (partial + text).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) take(line);
    },
    get lines() {
      const rest = partial;
      partial = "";
      take(rest);
      return kept.length > 0 ? kept : tail;
    },
  };
}

function shorten(line: string): string {
  return line.length > KEEP_CHARACTERS ? `${line.slice(0, KEEP_CHARACTERS)} …` : line;
}
