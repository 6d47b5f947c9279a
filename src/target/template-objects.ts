import { PgdittoError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** What every new database has, and the source has no more. pg_dump does not say so. */
export interface TemplateObject {
  kind: "schema" | "extension";
  name: string;
}

/** Those of template0's own objects that `session`'s database lacks. */
export async function readMissingTemplateObjects(session: Session): Promise<TemplateObject[]> {
  return session.query<TemplateObject>(`
SELECT 'schema' AS kind, 'public' AS name WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')
UNION ALL SELECT 'extension', 'plpgsql' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'plpgsql')`);
}

/** Drops them from a new database; returns those that the role may not drop, for they belong to a superuser. */
export async function dropTemplateObjects(session: Session, objects: readonly TemplateObject[]): Promise<TemplateObject[]> {
  const kept: TemplateObject[] = [];
  for (const object of objects) {
    try {
      await session.run(`DROP ${object.kind.toUpperCase()} IF EXISTS ${object.name}`);
    } catch (error) {
      if (!(error instanceof PgdittoError) || error.sqlstate !== "42501") throw error;
      kept.push(object);
    }
  }
  return kept;
}
