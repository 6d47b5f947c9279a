// npm run bench -- --help
// Interleaved runs of pgditto and of what people use today, on two clusters of its own; prints medians, spread, ratios, CPU, memory.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { benchCase } from "./bench-case.mjs";
import { findPgcopydb } from "./contenders/pgcopydb.mjs";
import { describeMachine } from "./machine.mjs";
import { killRunning } from "./measure/run-command.mjs";
import { readOptions } from "./options.mjs";
import { growthOf, growthTitle, textGrowth } from "./report/growth.mjs";
import { markdownGrowth, markdownTable } from "./report/markdown.mjs";
import { textTable } from "./report/text.mjs";
import { startServers } from "./servers.mjs";
import { casesOf } from "./sets/sets.mjs";

const options = readOptions(process.argv.slice(2));
const pgcopydb = findPgcopydb(process.env);
// where contenders run, and put their dumps
const work = mkdtempSync(join(tmpdir(), "pgditto-bench-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
// the clusters' own watchdogs stop them and remove their folders
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, () => {
    killRunning();
    process.exit(code);
  });
}

const servers = await startServers(options);
const facts = describeMachine({ servers, pgcopydb, options });
const reports = [];
try {
  console.log(facts.join("\n"));
  for (const set of options.sets) {
    for (const wanted of casesOf(set, options)) {
      const report = await benchCase(wanted, { servers, pgcopydb, work, options });
      reports.push(report);
      console.log(options.markdown ? markdownTable(report.title, report.rows) : textTable(report.title, report.rows));
      // after each case: the next one may take hours, or fail
      if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ facts, cases: reports }, undefined, 2));
    }
    if (set.unit !== undefined) reportGrowth(set);
  }
} finally {
  await servers[Symbol.asyncDispose]();
}
// a contender that fails is a result; a copy of ours that fails is a defect
process.exitCode = reports.some(({ rows }) => rows.some(({ pgditto, failures }) => pgditto && failures > 0)) ? 1 : 0;

function reportGrowth(set) {
  const growth = growthOf(
    set,
    reports.filter(({ name }) => name === set.name),
  );
  console.log(options.markdown ? markdownGrowth(growthTitle(set), growth) : textGrowth(growthTitle(set), growth));
}
