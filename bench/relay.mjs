// The relay alone: one table's rows from one server to another, nothing else. Arguments: source URL, target URL.
import { relay } from "../dist/copy/relay.js";
import { connect } from "../dist/postgres/connect.js";

const [from, to] = process.argv.slice(2).map((text) => new URL(text));
const open = (url, side) =>
  connect(
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
const source = await open(from, "source");
const target = await open(to, "target");
const done = await relay(
  { source, target },
  { copyOut: "COPY public.big TO STDOUT (FORMAT binary)", copyIn: "COPY public.big FROM STDIN (FORMAT binary)" },
);
const cpu = process.cpuUsage();
console.log(
  `${done.rows} rows, ${(done.bytes / 1e6).toFixed(0)} MB, ${((cpu.user + cpu.system) / 1e6).toFixed(2)} s of CPU, ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
);
await Promise.all([source.abort(), target.abort()]);
