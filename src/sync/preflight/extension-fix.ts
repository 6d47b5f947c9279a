/** Debian's package of an extension where its name does not follow from the extension's; `NN` is the server's major version. */
const PACKAGES: Readonly<Record<string, string>> = {
  postgis: "postgresql-NN-postgis-3",
  postgis_raster: "postgresql-NN-postgis-3",
  postgis_topology: "postgresql-NN-postgis-3",
  postgis_tiger_geocoder: "postgresql-NN-postgis-3",
  vector: "postgresql-NN-pgvector",
  pg_partman: "postgresql-NN-partman",
  pg_cron: "postgresql-NN-cron",
  pg_repack: "postgresql-NN-repack",
  pgrouting: "postgresql-NN-pgrouting",
  plpython3u: "postgresql-plpython3-NN",
  plperl: "postgresql-plperl-NN",
  plperlu: "postgresql-plperl-NN",
  pltcl: "postgresql-pltcl-NN",
  pltclu: "postgresql-pltcl-NN",
  timescaledb: "timescaledb-2-postgresql-NN",
};

/** Extensions of PostgreSQL's own contrib folder; Debian ships them with the server from version 10 on. */
const CONTRIB = new Set(
  "adminpack amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2".split(
    " ",
  ),
);

/** How to install it on a Debian machine, as far as that can be known. */
export function extensionFix(name: string, serverVersion: number): string {
  const major = String(Math.floor(serverVersion / 10_000));
  if (CONTRIB.has(name)) return `apt-get install postgresql-contrib (or postgresql${major}-contrib) on the target's machine`;
  const known = PACKAGES[name]?.replace("NN", major);
  return `apt-get install ${known ?? `postgresql-${major}-${name.replaceAll("_", "-")}`} on the target's machine`;
}
