#!/usr/bin/env bash
# The limit: a copy driven by hand, with nothing between the servers but pipes. No snapshot over all tables, no sequences, large objects,
# ANALYZE, counts, or second try; so a complete copy by PostgreSQL's own means is not faster. Arguments: URLs of source and target.
set -euo pipefail
export source=$1 target=$2
# the copy is worth nothing unless it is complete, so no commit need wait for the disk; pgditto does the same
export PGOPTIONS='-c synchronous_commit=off'

# --schema-only would leave out the REFRESH of materialized views, these two sections do not
pg_dump -Fc --section=pre-data --section=post-data -f schema.dump -d "$source"
pg_restore --section=pre-data -f - schema.dump | psql -qX -v ON_ERROR_STOP=1 -d "$target" > /dev/null

copy_table() {
  psql -qX -d "$source" -c "COPY $1 TO STDOUT (FORMAT binary)" | psql -qX -d "$target" -c "COPY $1 FROM STDIN (FORMAT binary)"
}
export -f copy_table
# the largest first, so that it is not what the others have to wait for at the end
psql -qXAt -d "$source" -c "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)' ORDER BY pg_table_size(c.oid) DESC" > tables
xargs -P 2 -n 1 -d '\n' -a tables bash -o pipefail -c 'copy_table "$0"'

pg_restore -j 2 --section=post-data -d "$target" schema.dump
