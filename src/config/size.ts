/** PostgreSQL's units of memory (manual 20.1.1): powers of 1024, whatever the SI says. */
const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/** `50MB` in bytes; undefined when it is no size. A number alone is none: of what it would be is anybody's guess. */
export function parseSize(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]{1,2})\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const bytes = factor === undefined ? Number.NaN : Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
