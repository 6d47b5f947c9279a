/**
 * A connection string as libpq reads it (manual 34.1.1). pg_dump takes a database name that holds a `=` for one, so a name is
 * never passed bare: `dbname='a=b'` is safe whatever it holds.
 */
export function conninfo(parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts)
    .map(([key, value]) => `${key}='${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`)
    .join(" ");
}
