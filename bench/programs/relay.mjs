// The relay alone: the rows of the table `big` from one server to another, nothing else. Arguments: source URL, target URL.
import { relay } from "../../dist/copy/relay.js";
import { openSession } from "./open-session.mjs";

const [from, to] = process.argv.slice(2).map((text) => new URL(text));
const source = await openSession(from, "source");
const target = await openSession(to, "target");
await relay(
  { source, target },
  { copyOut: "COPY public.big TO STDOUT (FORMAT binary)", copyIn: "COPY public.big FROM STDIN (FORMAT binary)" },
);
await Promise.all([source.abort(), target.abort()]);
