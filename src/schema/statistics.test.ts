import { expect, test } from "vitest";

import { parseStatistics } from "./statistics.ts";

/** As pg_dump 18 writes it. */
const entry = (id: number, schema: string, name: string, analyzed = true) => `--
-- TOC entry ${id} (class 0 OID 0)
-- Dependencies: 219 3314
-- Statistics for Name: ${name}; Type: STATISTICS DATA; Schema: ${schema}; Owner: -
--

SELECT * FROM pg_catalog.pg_restore_relation_stats(
	'schemaname', '${schema}', 'relname', '${name}', 'reltuples', '${analyzed ? 100 : -1}'::real
);
${analyzed ? `SELECT * FROM pg_catalog.pg_restore_attribute_stats(\n\t'schemaname', '${schema}', 'relname', '${name}', 'attname', 'id');\n` : ""}

`;

const SCRIPT = `--
-- PostgreSQL database dump
--

SET statement_timeout = 0;

${entry(1, "public", "t")}${entry(2, "s", "t")}${entry(3, "public", "never", false)}${entry(4, "public", "a b")}${entry(5, "public", "a b")}--
-- PostgreSQL database dump complete
--
`;

test("statistics by schema and name", () => {
  const statistics = parseStatistics(SCRIPT);
  expect(statistics({ schema: "public", name: "t" })?.sql).toMatch(
    /^SELECT \* FROM pg_catalog\.pg_restore_relation_stats[^]*'public', 'relname', 't'/,
  );
  expect(statistics({ schema: "s", name: "t" })?.dumpId).toBe(2);
});

test.each([
  ["what was never analyzed", "never"],
  ["what is not there", "other"],
  ["two that print alike", "a b"],
  ["a name with a line break", "a\nb"],
])("%s has none", (_what, name) => {
  expect(parseStatistics(SCRIPT)({ schema: "public", name })).toBeUndefined();
});
