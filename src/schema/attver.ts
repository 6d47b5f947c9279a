/**
 * Servers with the November 2026 security updates keep `pg_attver=N` among a column's options, and a pg_dump that is older writes
 * it out as `ALTER COLUMN … SET (pg_attver=…)`, which other servers refuse. It is the server's own note: leave out exactly it.
 */
export function dropOptionAttver(sql: string): string {
  if (!sql.includes("pg_attver")) return sql;
  return sql.replace(
    /^(ALTER (?:FOREIGN |MATERIALIZED )?(?:TABLE|VIEW)(?: ONLY)? .* ALTER COLUMN .* SET )\(([^()]*)\);$/gm,
    (whole, statement: string, options: string) => {
      const kept = options.split(",").filter((option) => !/^\s*pg_attver\s*=/.test(option));
      if (kept.length === options.split(",").length) return whole;
      return kept.length === 0 ? "" : `${statement}(${kept.join(",").trim()});`;
    },
  );
}
