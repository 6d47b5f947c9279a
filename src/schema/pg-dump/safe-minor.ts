import { clientPackage } from "./client-package.ts";
import { majorOf, versionTextOf } from "../../postgres/version.ts";

/** The least minor release of each major whose client programs have no known security hole (the project's FACTS). */
const SAFE_MINORS: ReadonlyMap<number, number> = new Map([
  [14, 140_024],
  [15, 150_019],
  [16, 160_015],
  [17, 170_011],
  [18, 180_006],
]);

/** What to say about a native pg_dump below the safe minor; nothing when it is safe. Majors before 14 get no fixes any more. */
export function nativeWarning(version: number, path: string, platform: string): string | undefined {
  const major = majorOf(version);
  const safe = SAFE_MINORS.get(major);
  if (safe === undefined) {
    if (major > 18) return undefined;
    return `pg_dump ${versionTextOf(version)} (${path}) is of a major version that gets no security fixes any more. Install a newer one: ${clientPackage(18, platform)}.`;
  }
  if (version >= safe) return undefined;
  return `pg_dump ${versionTextOf(version)} (${path}) lacks security fixes: ${versionTextOf(safe)} is the least safe release. Upgrade it: ${clientPackage(major, platform)}.`;
}

/**
 * The built-in pg_dump can be too old as well, and only a release of pgditto makes it newer. It is said all the same: the source's
 * owners write what pg_dump reads, and whoever does not trust them can install a native one, which is then preferred.
 */
export function wasmWarning(version: number, platform: string): string | undefined {
  const safe = SAFE_MINORS.get(majorOf(version));
  if (safe === undefined || version >= safe) return undefined;
  return `The built-in pg_dump ${versionTextOf(version)} lacks the security fixes of ${versionTextOf(safe)}. If you do not trust whoever may create objects in the source, install a native one: ${clientPackage(majorOf(version), platform)}.`;
}
