/** Levenshtein distance of two short names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The `most` names that resemble `wanted` most, best first; nothing when none is near. */
export function nearest(wanted: string, names: Iterable<string>, most = 3): string[] {
  const needle = wanted.toLowerCase();
  const scored: Array<{ name: string; score: number }> = [];
  for (const name of new Set(names)) {
    const hay = name.toLowerCase();
    const contained = hay.includes(needle) || needle.includes(hay);
    const score = contained ? Math.abs(hay.length - needle.length) / 10 : distance(needle, hay);
    if (score <= Math.max(2, Math.floor(needle.length / 2.5))) scored.push({ name, score });
  }
  return scored
    .toSorted((a, b) => a.score - b.score || a.name.localeCompare(b.name))
    .slice(0, most)
    .map((entry) => entry.name);
}
