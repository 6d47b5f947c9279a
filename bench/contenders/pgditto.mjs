import { join } from "node:path";

/**
 * pgditto as it comes, with its four jobs, and with the two that the others are given here; one contender more for each variant: other flags,
 * another build, or both.
 */
export function pgdittos({ source, target, root, variants }) {
  const contender = (name, flags, dist) => ({
    name,
    kind: "copy",
    pgditto: true,
    command: `exec node '${join(dist, "cli/main.js")}' --source '${source}' --target '${target}' --yes ${flags}`,
  });
  const built = join(root, "dist");
  return [
    contender("pgditto", "", built),
    contender("pgditto --jobs 2", "--jobs 2", built),
    ...variants.map(({ name, flags = "", dist = built }) => contender(`pgditto (${name})`, flags, dist)),
  ];
}
