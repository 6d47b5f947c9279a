import { connect } from "../../dist/postgres/connect.js";

/** A session as pgditto opens its own, to a server that trusts everybody. */
export async function openSession(url, side) {
  return await connect(
    {
      side,
      host: url.hostname,
      port: Number(url.port),
      user: url.username,
      database: url.pathname.slice(1),
      password: "",
      ssl: { mode: "disable" },
      connectTimeoutMs: 10_000,
    },
    { applicationName: "pgditto bench" },
  );
}
