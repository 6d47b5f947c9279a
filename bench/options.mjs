import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { SETS } from "./sets/sets.mjs";

const USAGE = `npm run bench -- [flags]

  --set NAMES          data sets, separated by commas: ${Object.keys(SETS).join(", ")} (default many,mixed,pgbench,one)
  --scale N            size as a factor; 1 is the size that README.md speaks of (default 0.2)
  --points N,N         sizes of a growth curve: numbers of tables, or GB
  --runs N             turns of each contender (default 3)
  --only TEXT          contenders whose name holds this; repeatable
  --without TEXT       not these; repeatable
  --variant NAME="FLAGS"     pgditto with these flags as one contender more; repeatable
  --variant-dist NAME=FOLDER another build of pgditto (its dist/) as one contender more; repeatable
  --check              compares source and copy after each run of pgditto
  --settings NAME=VALUE      a setting of both servers; repeatable
  --timeout SECONDS    a contender that takes longer is ended, and failed (default 3600)
  --json FILE          every single measurement
  --markdown           tables for README.md`;

const FLAGS = {
  set: { type: "string", default: "many,mixed,pgbench,one" },
  scale: { type: "string", default: "0.2" },
  points: { type: "string" },
  runs: { type: "string", default: "3" },
  only: { type: "string", multiple: true, default: [] },
  without: { type: "string", multiple: true, default: [] },
  variant: { type: "string", multiple: true, default: [] },
  "variant-dist": { type: "string", multiple: true, default: [] },
  check: { type: "boolean", default: false },
  settings: { type: "string", multiple: true, default: [] },
  timeout: { type: "string", default: "3600" },
  json: { type: "string" },
  markdown: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/** The command line as values; ends the process where it makes no sense. */
export function readOptions(args) {
  try {
    const { values } = parseArgs({ args, options: FLAGS });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    return resolveOptions(values);
  } catch (error) {
    console.error(`bench: ${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function resolveOptions(values) {
  const sets = values.set.split(",").map((name) => {
    if (!Object.hasOwn(SETS, name)) throw new Error(`--set ${name}: one of ${Object.keys(SETS).join(", ")}`);
    return SETS[name];
  });
  const points = values.points?.split(",").map((text) => positive("points", text));
  if (points !== undefined && (sets.length !== 1 || sets[0].points === undefined)) throw new Error("--points goes with one growth curve");
  return {
    ...values,
    sets,
    points,
    scale: positive("scale", values.scale),
    runs: Math.ceil(positive("runs", values.runs)),
    timeout: positive("timeout", values.timeout),
    variants: variantsOf(values),
    settings: Object.fromEntries(values.settings.map((text) => pair("settings", text))),
  };
}

/** Flags and another build under one name are one contender. */
function variantsOf(values) {
  const variants = new Map();
  for (const [name, flags] of values.variant.map((text) => pair("variant", text))) variants.set(name, { name, flags });
  for (const [name, dist] of values["variant-dist"].map((text) => pair("variant-dist", text))) {
    variants.set(name, { ...variants.get(name), name, dist: resolve(dist) });
  }
  return [...variants.values()];
}

function pair(flag, text) {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--${flag} ${text}: NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function positive(flag, text) {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${flag} ${text}: a number above 0`);
  return number;
}
