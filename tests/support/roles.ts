import { quoteName, quoteText } from "./sql.ts";

type Query = (text: string) => Promise<unknown>;

/** Every test takes a prefix of its own, for roles are shared by all databases of a server: `uniqueName("pgditto_test")`. */
const KINDS = ["owner", "reader", "writer", 'Großes "Team"'] as const;

export function roleName(prefix: string, kind: (typeof KINDS)[number]): string {
  return `${prefix}_${kind}`;
}

/** Creates the roles on one server, none of them twice; parallel tests wait for each other. */
export async function createTestRoles(query: Query, prefix: string): Promise<void> {
  const create = KINDS.map((kind) => {
    const name = roleName(prefix, kind);
    return `IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${quoteText(name)}) THEN CREATE ROLE ${quoteName(name)}; END IF;`;
  });
  // Without the lock two sessions that change roles at once may get "tuple concurrently updated".
  await query(`BEGIN; LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE;
    DO $do$ BEGIN ${create.join(" ")} END $do$;
    GRANT ${quoteName(roleName(prefix, "reader"))} TO ${quoteName(roleName(prefix, "writer"))}; COMMIT;`);
}

/**
 * Gives objects of the shop in the current database other owners, privileges, default privileges and settings. The roles
 * are created on this server only: the other one lacks them until `createTestRoles` is called there.
 */
export async function fillRolesAndGrants(query: Query, prefix: string): Promise<void> {
  await createTestRoles(query, prefix);
  const [owner, reader, writer, team] = KINDS.map((kind) => quoteName(roleName(prefix, kind)));
  await query(`
    GRANT USAGE, CREATE ON SCHEMA public, archive TO ${owner};
    ALTER TABLE public.orders OWNER TO ${owner};
    ALTER TABLE public.transactions OWNER TO ${owner};
    ALTER TABLE archive.orders OWNER TO ${team};
    ALTER MATERIALIZED VIEW public.best_sellers OWNER TO ${owner};
    ALTER FUNCTION public.with_tax(numeric) OWNER TO ${owner};
    ALTER TYPE public.order_status OWNER TO ${owner};
    ALTER SEQUENCE public.never_called OWNER TO ${owner};
    ALTER LARGE OBJECT 424243 OWNER TO ${owner};
    CREATE SCHEMA AUTHORIZATION ${team};
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${reader};
    -- The view's owner reads it when it is refreshed: privileges come before that.
    GRANT SELECT ON public.sales_by_product TO ${owner};
    GRANT INSERT, UPDATE (status) ON public.orders TO ${writer} WITH GRANT OPTION;
    GRANT SELECT, UPDATE ON LARGE OBJECT 424242 TO ${reader};
    GRANT EXECUTE ON FUNCTION public.a_long_story() TO ${team};
    GRANT USAGE ON FOREIGN SERVER far_away TO ${reader};
    SET ROLE ${owner};
    GRANT DELETE ON public.orders TO ${team};
    RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public GRANT SELECT ON TABLES TO ${reader};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT USAGE ON SEQUENCES TO ${writer};
    CREATE POLICY for_readers ON public.tickets FOR SELECT TO ${reader}, ${team} USING (id > 10);
    CREATE USER MAPPING FOR ${reader} SERVER far_away OPTIONS (user 'x', password 'y');
    DO $do$ BEGIN
      EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I SET work_mem = ''7MB''', ${quoteText(roleName(prefix, "reader"))}, pg_catalog.current_database());
      EXECUTE pg_catalog.format('ALTER DATABASE %I SET lock_timeout = ''77s''', pg_catalog.current_database());
      EXECUTE pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT 77', pg_catalog.current_database());
      EXECUTE pg_catalog.format('GRANT CREATE, CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), ${quoteText(roleName(prefix, "writer"))});
      EXECUTE pg_catalog.format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', pg_catalog.current_database());
      EXECUTE pg_catalog.format('ALTER DATABASE %I OWNER TO %I', pg_catalog.current_database(), ${quoteText(roleName(prefix, "owner"))});
      EXECUTE pg_catalog.format('COMMENT ON DATABASE %I IS ''the shop; it''''s "ours"''', pg_catalog.current_database());
    END $do$;
  `);
}

/** Once the databases that depend on them are dropped. */
export async function dropTestRoles(query: Query, prefix: string): Promise<void> {
  const names = KINDS.map((kind) => quoteName(roleName(prefix, kind)));
  await query(`BEGIN; LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE; DROP ROLE IF EXISTS ${names.join(", ")}; COMMIT;`);
}
