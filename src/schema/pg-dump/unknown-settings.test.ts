import { expect, test } from "vitest";

import { knownSettings } from "./unknown-settings.ts";

// as seen on the wire
const BEFORE = "Q\0\0\0\u001BSET lock_timeout = 0;\n\0";
const REFUSED = 'Q\0\0\0"SET transaction_timeout = 0;\n\0';
const COPY = "Q\0\0\0#COPY public.t (i) FROM stdin;\n\0";

test("a server before 17 is not asked for a setting that it does not know; the stream keeps its length", () => {
  const settings = Buffer.from(BEFORE + REFUSED + COPY);
  const sent = knownSettings(160_004)(settings);
  expect(sent).toHaveLength(settings.length);
  expect(sent.toString()).toBe(`${BEFORE}Q\0\0\0"SET statement_timeout = 0;  \n\0${COPY}`);
  expect(knownSettings(170_000)(settings)).toBe(settings);
});

test("rows that hold the same bytes pass as they are", () => {
  const filter = knownSettings(150_018);
  filter(Buffer.from(COPY));
  const rows = Buffer.from(`d\0\0\0\u0030${REFUSED}`);
  expect(filter(rows)).toBe(rows);
  const together = Buffer.from(`${COPY}d\0\0\0\u0030${REFUSED}`);
  expect(knownSettings(150_018)(together)).toBe(together);
});
