/** Tables of an unusual kind: cyclic keys, inheritance, no columns, exclusion, row-level security, wide rows … */
export function shopOddTables(rows: (atScaleOne: number) => number): string {
  return String.raw`
-- Two tables that need each other, and one that needs itself.
CREATE TABLE public.departments (id integer PRIMARY KEY, name text NOT NULL, head_id integer);
CREATE TABLE public.employees (
  id integer PRIMARY KEY, name text NOT NULL, department_id integer NOT NULL REFERENCES public.departments (id),
  manager_id integer REFERENCES public.employees (id)
);
INSERT INTO public.departments SELECT n, 'Department ' || n, n * 10 FROM pg_catalog.generate_series(1, 20) n;
-- Managers have the higher numbers, so that rows in their own order break the key.
INSERT INTO public.employees SELECT n, 'Employee ' || n, n % 20 + 1, NULLIF(n / 10 * 10 + 10, 1010) FROM pg_catalog.generate_series(1, 1000) n;
ALTER TABLE public.departments ADD FOREIGN KEY (head_id) REFERENCES public.employees (id);

-- Inheritance; the child's columns stand in another order here than after a dump.
CREATE TABLE public.places (name text NOT NULL, population integer);
CREATE TABLE public.capitals (country char(2) NOT NULL, PRIMARY KEY (name)) INHERITS (public.places);
ALTER TABLE public.places ADD COLUMN elevation integer DEFAULT 7 CHECK (elevation > -500);
INSERT INTO public.places SELECT 'Village ' || n, n, n % 900 FROM pg_catalog.generate_series(1, 300) n;
INSERT INTO public.capitals (name, population, country, elevation) VALUES ('Wien', 2000000, 'AT', 170), ('東京', 14000000, 'JP', 40);

CREATE TABLE public.nothing ();
INSERT INTO public.nothing SELECT FROM pg_catalog.generate_series(1, 3);
CREATE TABLE public.empty_table (id integer PRIMARY KEY, t text);
CREATE UNLOGGED TABLE public.baskets (id integer PRIMARY KEY, content jsonb);
INSERT INTO public.baskets SELECT n, pg_catalog.jsonb_build_object('n', n) FROM pg_catalog.generate_series(1, 500) n;

CREATE TABLE public.playlist (
  id integer PRIMARY KEY, "position" integer NOT NULL,
  CONSTRAINT one_per_position UNIQUE ("position") DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO public.playlist SELECT n, 101 - n FROM pg_catalog.generate_series(1, 100) n;

CREATE TABLE public.bookings (
  room integer NOT NULL, during tstzrange NOT NULL, cancelled boolean NOT NULL DEFAULT false,
  CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (NOT cancelled)
);
INSERT INTO public.bookings
SELECT 1, pg_catalog.tstzrange(timestamptz '2024-01-01 00:00+00' + n * interval '1 hour', timestamptz '2024-01-01 00:00+00' + (n + 1) * interval '1 hour'), false
FROM pg_catalog.generate_series(1, 200) n;
INSERT INTO public.bookings SELECT 1, during, true FROM public.bookings;

CREATE TABLE public.tickets (id integer PRIMARY KEY, opened_by name NOT NULL, body text);
INSERT INTO public.tickets SELECT n, 'user' || n % 3, 'Help! ' || n FROM pg_catalog.generate_series(1, 100) n;
ALTER TABLE public.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tickets ON public.tickets FOR SELECT TO PUBLIC USING (opened_by = CURRENT_USER);
CREATE POLICY no_updates ON public.tickets AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (false) WITH CHECK (false);

-- Values far over 2 kB: compressed, out of line, and out of line without compression.
CREATE TABLE public.documents (id integer PRIMARY KEY, body text, raw bytea, plain text);
ALTER TABLE public.documents ALTER COLUMN plain SET STORAGE EXTERNAL, ALTER COLUMN body SET STATISTICS 10;
INSERT INTO public.documents
SELECT n, (SELECT pg_catalog.string_agg(pg_catalog.md5((n * 1000 + i)::text), E'\n') FROM pg_catalog.generate_series(1, 100 + n % 400) i),
  pg_catalog.decode(pg_catalog.repeat(pg_catalog.md5(n::text), 200 + n % 100), 'hex'), pg_catalog.repeat('wide ü ', 500 + n)
FROM pg_catalog.generate_series(1, ${rows(300)}) n;

-- Foreign tables have no rows of ours; this wrapper has not even a handler.
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER far_away TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'nowhere; "here"');
CREATE FOREIGN TABLE public.foreign_prices (id integer OPTIONS ("column" 'ID') NOT NULL, price numeric) SERVER far_away OPTIONS ("table" 'prices');
`;
}
