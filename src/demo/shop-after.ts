/** What comes after the rows: views, triggers, rules, publications, statistics, comments, privileges. */
export const SHOP_AFTER = String.raw`
-- Groups by a primary key alone, so that the view depends on the constraint.
CREATE VIEW public.customer_totals AS
  SELECT c.id, c.email, c.name, pg_catalog.count(*) AS orders FROM public.customers c JOIN public.orders o ON o.customer_id = c.id GROUP BY c.id;
CREATE VIEW public.open_orders WITH (security_barrier) AS
  SELECT * FROM public.orders WHERE status <> 'returned' WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW public.sales_by_product AS
  SELECT p.id, p.name, pg_catalog.sum(i.quantity) AS sold, pg_catalog.sum(i.quantity * i.unit_price) AS turnover
  FROM public.products p JOIN public.order_items i ON i.product_id = p.id GROUP BY p.id;
CREATE UNIQUE INDEX sales_by_product_id ON public.sales_by_product (id);
-- Before the one it is made from in the alphabet, after it in time.
CREATE MATERIALIZED VIEW public.best_sellers AS
  SELECT id, name, turnover FROM public.sales_by_product WHERE turnover > (SELECT pg_catalog.avg(turnover) FROM public.sales_by_product);
CREATE MATERIALIZED VIEW public.customer_lifetime AS
  SELECT customer_id, pg_catalog.max(ordered_at) - pg_catalog.min(ordered_at) AS lifetime FROM public.orders GROUP BY customer_id WITH NO DATA;
CREATE INDEX customer_lifetime_longest ON public.customer_lifetime (lifetime DESC);

CREATE RULE archived_stays AS ON DELETE TO archive.orders DO INSTEAD NOTHING;
CREATE RULE insert_open AS ON INSERT TO public.open_orders WHERE NEW.status = 'returned' DO INSTEAD NOTHING;
ALTER TABLE archive.orders DISABLE RULE archived_stays;

-- Each of these triggers leaves a trace when it fires while rows are copied.
CREATE TABLE public.order_events (id bigserial PRIMARY KEY, order_id bigint, what text);
CREATE FUNCTION public.note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.order_events (order_id, what) VALUES (NEW.id, TG_NAME);
  RETURN NEW;
END $$;
CREATE TRIGGER note_new AFTER INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.note_order();
CREATE TRIGGER note_always AFTER INSERT OR UPDATE OF status ON public.orders FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION public.note_order();
CREATE TRIGGER note_never AFTER INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.note_order();
CREATE TRIGGER note_on_replica AFTER INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.note_order();
CREATE CONSTRAINT TRIGGER note_late AFTER INSERT ON public.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note_order();
ALTER TABLE public.orders ENABLE ALWAYS TRIGGER note_always, DISABLE TRIGGER note_never, ENABLE REPLICA TRIGGER note_on_replica;
INSERT INTO public.orders (customer_id, status, ordered_at) VALUES (1010, 'new', '2025-01-01 00:00+00');
CREATE TRIGGER note_transaction AFTER INSERT ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.note_order();
ALTER TABLE public.transactions_2024_03 DISABLE TRIGGER note_transaction;

CREATE STATISTICS public.customer_places (dependencies, mcv) ON country, city FROM public.customers;
CREATE PUBLICATION shop_changes FOR TABLE public.orders, public.order_items, public."日本語" WITH (publish = 'insert, update');

COMMENT ON TABLE public.orders IS 'One row for each order; it''s ''quoted'' "twice"';
COMMENT ON COLUMN public.orders.history IS E'a\ttab';
COMMENT ON INDEX public.orders_open IS 'partial';
COMMENT ON CONSTRAINT no_overlap ON public.bookings IS 'one party at a time';
COMMENT ON TRIGGER note_always ON public.orders IS 'even on a replica';
COMMENT ON MATERIALIZED VIEW public.best_sellers IS 'above the average';
COMMENT ON STATISTICS public.customer_places IS 'cities lie in countries';
COMMENT ON POLICY own_tickets ON public.tickets IS 'mine alone';
COMMENT ON PUBLICATION shop_changes IS 'for whoever listens';

GRANT USAGE ON SCHEMA archive TO PUBLIC;
GRANT SELECT ON public.products, archive.orders TO PUBLIC;
GRANT SELECT (id, email), UPDATE (note) ON public.customers TO PUBLIC;
GRANT USAGE ON SEQUENCE public.never_called TO PUBLIC;
REVOKE USAGE ON TYPE public.order_status FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA archive GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
`;

/** Writes a row for every table that is created or altered: a copy that creates it too early has rows that the source has not. */
export const SHOP_EVENT_TRIGGER = String.raw`
CREATE TABLE public.ddl_log (id serial PRIMARY KEY, tag text NOT NULL);
CREATE FUNCTION public.log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.ddl_log (tag) VALUES (TG_TAG);
END $$;
CREATE EVENT TRIGGER log_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX') EXECUTE FUNCTION public.log_ddl();
COMMENT ON EVENT TRIGGER log_ddl IS 'created last';
`;
