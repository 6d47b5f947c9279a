import pg from "pg";

/** Runs SQL over a connection of its own; resolves with the rows of the last statement. */
export async function sql(url, text) {
  return await connected(url, async (query) => await query(text));
}

/** The same for several statements over one connection. */
export async function connected(url, use) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(async (text) => {
      const result = await client.query(text);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    });
  } finally {
    await client.end();
  }
}
