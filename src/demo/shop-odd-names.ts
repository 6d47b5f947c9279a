/** 63 bytes, which is the most that PostgreSQL takes; every second byte would be a wrong place to cut. */
const LONGEST = `x${"ü".repeat(31)}`;

/** Breaks a line, and looks like a comment of pg_dump's then. */
const BREAKING = "100%s \\ odd\n-- Name: x; Type: TABLE; Schema: s\nname";

/** Names that need quotes, and more than quotes. */
export const SHOP_ODD_NAMES = String.raw`
CREATE TABLE public."Orders" ("Id" integer PRIMARY KEY, "select" text, "a b" text);
INSERT INTO public."Orders" SELECT n, 'not orders', 'x' FROM pg_catalog.generate_series(1, 10) n;

CREATE TABLE "Büro & Söhne"."Straße" ("Größe" integer PRIMARY KEY, "Anwohner:in" text NOT NULL DEFAULT 'niemand');
INSERT INTO "Büro & Söhne"."Straße" SELECT n, 'Frau Nr. ' || n FROM pg_catalog.generate_series(1, 50) n;

CREATE TABLE public."order ""quoted""" ("id ""x""" serial PRIMARY KEY, "it's" text CHECK ("it's" <> ''';'));
INSERT INTO public."order ""quoted""" ("it's") SELECT 'row ' || n FROM pg_catalog.generate_series(1, 30) n;
CREATE INDEX "an ""index""; DROP TABLE x; --" ON public."order ""quoted""" (pg_catalog.lower("it's"));

CREATE TABLE public."日本語" ("名前" text PRIMARY KEY, "値段" numeric);
INSERT INTO public."日本語" SELECT '商品' || n, n FROM pg_catalog.generate_series(1, 40) n;
COMMENT ON COLUMN public."日本語"."名前" IS '名前: it''s a name; -- really';

CREATE TABLE public."${BREAKING}" ("a
b" integer PRIMARY KEY, "\." text, "%I %L $1 :x" text);
INSERT INTO public."${BREAKING}" SELECT n, E'\\.', '%s' FROM pg_catalog.generate_series(1, 20) n;
COMMENT ON TABLE public."${BREAKING}" IS E'two\nlines, and a backslash: \\';

CREATE TABLE public."${LONGEST}" (id integer PRIMARY KEY, "${LONGEST}" text UNIQUE);
INSERT INTO public."${LONGEST}" SELECT n, 'long ' || n FROM pg_catalog.generate_series(1, 10) n;
CREATE SEQUENCE public."Odd ""Sequence"" ü";
SELECT pg_catalog.setval('public."Odd ""Sequence"" ü"', 77);
`;
