/** Values at the edges of their types. The regclass column and the arrays of our own types hold OIDs in binary form. */
export const SHOP_ODD_VALUES = String.raw`
CREATE TABLE public.odd_values (
  id integer PRIMARY KEY, t text, v varchar(40), c char(5), one "char", n name,
  num numeric, f8 double precision, f4 real, i2 smallint, i8 bigint, yes boolean,
  ts timestamptz, tsl timestamp(3), d date, tm time, tmz timetz, iv interval,
  raw bytea, j json, jb jsonb, jp jsonpath, u uuid, bits bit(5), vbits varbit,
  ip inet, net cidr, mac macaddr, pt point, bx box, poly polygon, circ circle,
  tsv tsvector, tsq tsquery, lsn pg_lsn, r4 int4range, rts tstzrange, prices public.price_range,
  words text[], grid integer[], moved integer[], statuses public.order_status[], place public.address, change public.status_change,
  amounts public.small_amounts, rel regclass, typ regtype, fn regprocedure, o oid
);
INSERT INTO public.odd_values (id, t, v, c, n, raw, words) VALUES
  (1, '', '', '', '', '', '{}'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, E'before\n\\.\nafter', E'\\.', E'\\.', E'\\N', '\x5c2e0a', ARRAY[E'\\.', E'\n', NULL, 'NULL', '', ' ', '{', '"', E'\\']),
  (4, E'\\N', E'\\N', 'a   ', 'null', '\x00', '[0:1]={a,b}'),
  (5, E'tab\tcr\rnl\nbs\bff\fvt\x0b back\\slash \x01\x7f', E'trailing \\', ' b', 'NULL', '\xff00fe', '{{a,b},{c,d}}'),
  (6, '𝄞 emoji 👩‍👩‍👧 combining é rtl עברית', 'ß', 'ä', 'Ünï', pg_catalog.decode(pg_catalog.repeat('00ff', 2000), 'hex'), ARRAY['日本', 'ü']);
INSERT INTO public.odd_values (id, num, f8, f4, i2, i8, yes) VALUES
  (11, 'NaN', 'NaN', 'NaN', -32768, -9223372036854775808, true),
  (12, 0, 'Infinity', '-Infinity', 32767, 9223372036854775807, false),
  (13, 1.10, 0.1, 0.1, 0, 0, NULL),
  (14, 1e300, 5e-324, 1e-45, NULL, NULL, NULL),
  (15, -0.00000000000000000000000000000000000001, -0.0, -0.0, NULL, NULL, NULL),
  (16, 12345678901234567890123456789012345678901234567890.12345678901234567890, 1.7976931348623157e308, 3.4028235e38, NULL, NULL, NULL);
INSERT INTO public.odd_values (id, ts, tsl, d, tm, tmz, iv) VALUES
  (21, 'infinity', '-infinity', 'infinity', '24:00:00', '23:59:59.999999-15:59', '1 year -2 mons +3 days -04:05:06.789'),
  (22, '-infinity', 'infinity', '-infinity', '00:00', '00:00+15:59', '-178000000 years'),
  (23, '0044-03-15 12:00:00+00 BC', '4713-01-01 00:00 BC', '4713-01-01 BC', '12:34:56.789012', '12:00+05:30', '0'),
  (24, '2024-03-31 02:30:00.000001+01', '294276-12-31 23:59:59.999', '5874897-12-31', NULL, NULL, '1 mon -30 days'),
  (25, '2024-10-27 02:30:00+02', NULL, '2024-02-29', NULL, NULL, '-1 days +23:59:59.999999');
INSERT INTO public.odd_values (id, one, j, jb, jp, u, bits, vbits, ip, net, mac, pt, bx, poly, circ, tsv, tsq, lsn) VALUES
  (31, 'x', '{"b": 1, "a" : 2, "b": 3}', '{"b": 1, "a": [1.10, 1e3, null, "\u00fc\\\n"]}', '$.a[*] ? (@ > 1)', '00000000-0000-0000-0000-000000000000',
   B'10101', B'', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '(1e-30,Infinity)', '(2,2),(1,1)', '((0,0),(1,0),(1,1))', '<(1,2),3>',
   'a:1A fat:2B,4C ''it''''s'':3', 'fat & !(cat | ''it''''s'':AB) <-> x', '16/B374D848'),
  (32, E'\\', 'null', 'null', 'strict $', 'ffffffff-ffff-ffff-ffff-ffffffffffff', B'00000', B'1', '::ffff:1.2.3.4/120', '2001:db8::/32',
   'ff:ff:ff:ff:ff:ff', '(NaN,-0)', NULL, NULL, '<(0,0),0>', '', '', '0/0');
INSERT INTO public.odd_values (id, r4, rts, prices, grid, moved, statuses, place, change, amounts, rel, typ, fn, o) VALUES
  (41, 'empty', '[2024-01-01 00:00+00,infinity)', '(,)', '{{1,NULL},{3,4}}', '[-3:-1]={7,8,9}', '{new,"it''s here",NULL,"on its way"}',
   ROW(E'a "b" \\ (c),', NULL, ''), ROW('2024-01-01 00:00+00', 'paid'), '{1.50,NULL}', 'public.orders', 'public.order_status', 'public.with_tax(numeric)', 0),
  (42, '[1,5)', '(,)', '[1.5,2.5)', '{}', NULL, '{}', NULL, NULL, NULL, 'archive.orders', 'public.address', 'pg_catalog.now()', 4294967295),
  (43, '(,)', 'empty', 'empty', NULL, NULL, NULL, ROW(NULL, NULL, NULL), ROW(NULL, NULL), '{}', 'public."日本語"', 'integer[]', NULL, 1);

-- Large objects: one with everything, one empty, one with a hole.
SELECT pg_catalog.lo_from_bytea(424242, pg_catalog.decode(pg_catalog.repeat('000102fd5c2e0a', 5000), 'hex'));
SELECT pg_catalog.lo_create(424243);
SELECT pg_catalog.lo_create(424244);
SELECT pg_catalog.lo_put(424244, 100000, '\x656e64');
COMMENT ON LARGE OBJECT 424242 IS 'The picture of a cat; it''s "large"';
GRANT SELECT ON LARGE OBJECT 424242 TO PUBLIC;
CREATE TABLE public.pictures (id integer PRIMARY KEY, content oid NOT NULL);
INSERT INTO public.pictures VALUES (1, 424242), (2, 424243), (3, 424244);

-- Sequences that were never asked, were set back, count down, or have turned over.
CREATE SEQUENCE public.never_called START WITH 5;
CREATE SEQUENCE public.set_but_not_called;
SELECT pg_catalog.setval('public.set_but_not_called', 42, false);
CREATE SEQUENCE public.counting_down AS smallint INCREMENT BY -3 MINVALUE -100 MAXVALUE 10 START WITH 10 CYCLE;
SELECT pg_catalog.setval('public.counting_down', -98, true);
CREATE SEQUENCE public.at_the_end AS integer;
SELECT pg_catalog.setval('public.at_the_end', 2147483647, true);
`;
