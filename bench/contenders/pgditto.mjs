import { join } from "node:path";

/** pgditto as it comes, two jobs like everybody else here, and one contender more for each variant: other flags, another build, or both. */
export function pgdittos({ source, target, root, variants }) {
  const contender = (name, flags, dist) => ({
    name,
    kind: "copy",
    pgditto: true,
    command: `exec node '${join(dist, "cli/main.js")}' --source '${source}' --target '${target}' --jobs 2 --yes ${flags}`,
  });
  const built = join(root, "dist");
  return [
    contender("pgditto", "", built),
    ...variants.map(({ name, flags = "", dist = built }) => contender(`pgditto (${name})`, flags, dist)),
  ];
}
