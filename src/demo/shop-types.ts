/** Lines that look like what psql and pg_dump write; inside a function body they mean nothing. */
const LOOK_ALIKES = String.raw`
-- TOC entry 999 (class 1259 OID 99999)
-- Name: not_a_table; Type: TABLE; Schema: public; Owner: postgres
\restrict not_a_command
\connect nowhere
\.
/* an open comment ' " $other$ /* nested */ still open? */
COPY public.not_a_table (a) FROM stdin;
`;

/** Over 32 kB: what lies above that once made a pg_dump in WASM hang. */
const LONG_BODY = Array.from(
  { length: 600 },
  (_, n) => `  -- line ${n}: the quick brown fox jumps over the lazy dog, again and again\n`,
).join("");

/** Schemas, types, functions and what else is there before the first table. */
export const SHOP_TYPES = String.raw`
CREATE SCHEMA archive;
CREATE SCHEMA "Büro & Söhne";
COMMENT ON SCHEMA archive IS 'What we no longer need, but may not throw away';

CREATE TYPE public.order_status AS ENUM ('new', 'paid', 'on its way', 'it''s here', 'returned');
CREATE DOMAIN public.email AS text CONSTRAINT has_an_at CHECK (VALUE ~ '@');
CREATE DOMAIN public.small_amounts AS numeric(9,2)[];
CREATE TYPE public.address AS (street text, "No." integer, city text);
CREATE TYPE public.status_change AS (at timestamptz, "to" public.order_status);
CREATE TYPE public.price_range AS RANGE (subtype = numeric);
CREATE COLLATION public.plain (provider = libc, locale = 'C');
COMMENT ON TYPE public.order_status IS 'How far an order is; the apostrophe is on purpose';

CREATE FUNCTION public.with_tax(price numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.round(price * 1.19, 2) $$;
CREATE FUNCTION public.status_number(s public.order_status) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.array_position(pg_catalog.enum_range(NULL::public.order_status), s) $$;
CREATE CAST (public.order_status AS integer) WITH FUNCTION public.status_number(public.order_status);
CREATE FUNCTION public.same_text(a text, b text) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.lower(a) = pg_catalog.lower(b) $$;
CREATE OPERATOR public.=~= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same_text, COMMUTATOR = OPERATOR(public.=~=));
CREATE AGGREGATE public.product_of(numeric) (SFUNC = pg_catalog.numeric_mul, STYPE = numeric, INITCOND = '1');
CREATE PROCEDURE public.do_nothing(INOUT x integer) LANGUAGE plpgsql AS $$ BEGIN x := x; END $$;
CREATE TEXT SEARCH DICTIONARY public.shop_words (TEMPLATE = pg_catalog.simple, accept = true);
CREATE TEXT SEARCH CONFIGURATION public.shop_search (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION public.shop_search ALTER MAPPING FOR word, asciiword WITH public.shop_words;

CREATE FUNCTION public.a_long_story() RETURNS text LANGUAGE plpgsql AS $story$
DECLARE
  x text := $inner$ ; it's "quoted" $$ ${LOOK_ALIKES} $inner$;
BEGIN
${LONG_BODY}  RETURN E'\\.\n' || x;
END
$story$;
-- A body between apostrophes instead, as old dumps have it.
CREATE FUNCTION public.an_old_story() RETURNS text LANGUAGE sql AS '
SELECT ''-- not a comment; /* nor this '' || E''\\ ; '' || $$x$$::text
';
REVOKE ALL ON FUNCTION public.a_long_story() FROM PUBLIC;
COMMENT ON FUNCTION public.a_long_story() IS E'first line\n-- Name: fake; Type: TABLE; Schema: public; Owner: nobody\nlast line';
`;
