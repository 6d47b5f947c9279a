import type { DatabaseIdentity } from "../../catalog/database.ts";
import type { Requirements } from "../../catalog/requirements.ts";
import type { Obstacle } from "../../errors.ts";
import { displayIdent, quoteIdent } from "../../postgres/quote.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { knowsLocale } from "../../target/locale-probe.ts";
import { extensionFix } from "./extension-fix.ts";
import type { Opened } from "../open.ts";
import type { Run } from "../run.ts";

/** Roles that are missing on the target, or that ours may not give objects to. */
export function roleObstacles(run: Run, requirements: Requirements, abilities: TargetAbilities): Obstacle[] {
  const { noOwner, noAcl } = run.config;
  return requirements.roles.flatMap((role): Obstacle[] => {
    const name = displayIdent(role.name);
    const owns = role.owns && !noOwner;
    const needed = owns || (role.granted && !noAcl) || role.named;
    if (needed && !abilities.roles.has(role.name)) {
      const why = [
        role.owns ? "owns objects" : "",
        role.granted ? "is granted privileges" : "",
        role.named ? "is named by a policy or setting" : "",
      ];
      const without = [role.owns ? "--no-owner" : "", role.granted ? "--no-acl" : ""].filter((flag) => flag !== "").join(" ");
      return [
        {
          code: "missing-role",
          side: "target",
          message: `The target has no role ${name}, which ${why.filter((part) => part !== "").join(" and ")}.`,
          fix: `CREATE ROLE ${quoteIdent(role.name)}; on the target${without === "" || role.named ? "" : `, or go on without: ${without}`}`,
        },
      ];
    }
    if (!owns || abilities.memberOf.has(role.name)) return [];
    return [
      {
        code: "not-member",
        side: "target",
        message: `Role ${displayIdent(abilities.role)} may not give objects to role ${name}, which owns some.`,
        fix: `GRANT ${quoteIdent(role.name)} TO ${quoteIdent(abilities.role)}; on the target, or let it own everything: --no-owner`,
      },
    ];
  });
}

/** Extensions that the target's machine does not have, or that our role may not create there. */
export function extensionObstacles(run: Run, requirements: Requirements, abilities: TargetAbilities, targetVersion: number): Obstacle[] {
  return requirements.extensions
    .filter(({ name }) => !run.config.skipExtensions.includes(name))
    .flatMap(({ name }): Obstacle[] => {
      const offer = abilities.extensions.get(name);
      const without = `or go on without it: --skip-extension ${name}`;
      if (!offer)
        return [
          {
            code: "missing-extension",
            side: "target",
            message: `Extension ${name} is not installed on the target's machine.`,
            fix: `${extensionFix(name, targetVersion)}, ${without}`,
          },
        ];
      if (offer.allowed) return [];
      return [
        {
          code: "extension-not-allowed",
          side: "target",
          message: `Role ${displayIdent(abilities.role)} may not create extension ${name}: only a superuser may.`,
          fix: `Use a superuser for the target, ${without}`,
        },
      ];
    });
}

export function tablespaceObstacles(run: Run, requirements: Requirements, abilities: TargetAbilities): Obstacle[] {
  if (run.config.noTablespaces) return [];
  return requirements.tablespaces
    .filter((name) => !abilities.tablespaces.has(name))
    .map((name) => ({
      code: "missing-tablespace",
      side: "target",
      message: `The target has no tablespace ${displayIdent(name)}.`,
      fix: `CREATE TABLESPACE ${quoteIdent(name)} LOCATION '…'; on the target, or put everything into the default one: --no-tablespaces`,
    }));
}

/** Locales that the target's operating system does not know. */
export async function localeObstacles({
  control,
  sourceIdentity,
}: Pick<Opened, "control"> & { sourceIdentity: Pick<DatabaseIdentity, "locales"> }): Promise<Obstacle[]> {
  const found: Obstacle[] = [];
  for (const locale of new Set(sourceIdentity.locales)) {
    if (await knowsLocale(control, locale)) continue;
    found.push({
      code: "missing-locale",
      side: "target",
      message: `The target's machine does not know the locale ${locale} of the source's database.`,
      fix: `Add it there (Debian: dpkg-reconfigure locales, or localedef) and restart PostgreSQL.`,
    });
  }
  return found;
}
