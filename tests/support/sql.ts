import pg from "pg";

export type Row = Record<string, unknown>;

/** The same text on both servers, whatever their settings are. */
const PINNED = {
  datestyle: "ISO, YMD",
  intervalstyle: "postgres",
  timezone: "UTC",
  extra_float_digits: "3",
  bytea_output: "hex",
  lc_monetary: "C",
};

/** A session for tests, closed by `await using`. */
export async function openSession(url: string): Promise<pg.Client & AsyncDisposable> {
  const { hostname, port, username, password, pathname } = new URL(url);
  // Not `connectionString`: pg decodes %2F and %3F of a database's name wrongly.
  const client = new pg.Client({
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    options: Object.entries(PINNED)
      .map(([name, value]) => `-c ${name}=${value.replace(" ", "\\ ")}`)
      .join(" "),
    application_name: "test",
    connectionTimeoutMillis: 20_000,
  });
  // A session that a test has killed must not end the worker.
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => {});
    },
  });
}

/** Runs one text in a session of its own; without `params` it may hold several statements, and the last one's rows come back. */
export async function sql(url: string, text: string, params?: readonly unknown[]): Promise<Row[]> {
  await using session = await openSession(url);
  const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] =
    params === undefined ? await session.query<Row>(text) : await session.query<Row>(text, [...params]);
  return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
