#!/usr/bin/env bash
# What complete_db_sync.sh does, told again for the bench: the script that pgditto replaces. The same programs with the same arguments in
# the same order; without its colours, its retries, and its list of tables, which is asked of the source here. Two things differ: names
# carry their schema (the script knows `public` only), and a difference of counts is a failure (the script exits 0).
# Arguments: URLs of source, target, and another database on the target's server.
set -uo pipefail
source=$1 target=$2 maintenance=$3
jobs=${PG_JOBS:-4} batch=${BATCH_SIZE:-1}
name=${target##*/}
dumps=$PWD/migration_dumps
mkdir "$dumps"
trap 'rm -rf "$dumps"' EXIT

ask() { psql -X -d "$1" -t -A -c "$2"; }

export_table() {
  local list=(--table="$1") parts part
  if [ "$(ask "$source" "SELECT EXISTS (SELECT FROM pg_class WHERE oid = '$1'::regclass AND relkind = 'p')")" = t ]; then
    parts=$(ask "$source" "SELECT relid::regclass FROM pg_partition_tree('$1') WHERE level > 0")
    for part in $parts; do list+=(--table="$part"); done
  fi
  pg_dump --data-only --no-owner --quote-all-identifiers -Fd -j "$jobs" -d "$source" "${list[@]}" -f "$dumps/$1"
}

import_table() {
  pg_restore --data-only --disable-triggers -j "$jobs" -d "$target" "$dumps/$1"
}

# One batch begins when the slowest of the one before has ended.
in_batches() {
  local i pid pids failed=0
  for ((i = 0; i < ${#tables[@]}; i += batch)); do
    pids=()
    for table in "${tables[@]:i:batch}"; do
      "$1" "$table" &
      pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  done
  return $failed
}

ask "$maintenance" "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name' AND pid <> pg_backend_pid()" > /dev/null
ask "$maintenance" "DROP DATABASE IF EXISTS \"$name\"" > /dev/null
ask "$maintenance" "CREATE DATABASE \"$name\"" > /dev/null || exit 1
# indexes and foreign keys are there before the rows
pg_dump -d "$source" --schema-only -Fp > "$dumps/schema.sql" || exit 1
psql -X -d "$target" -f "$dumps/schema.sql" > /dev/null || exit 1

mapfile -t tables < <(ask "$source" "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema)' ORDER BY c.oid")
# everything is exported before anything is imported
in_batches export_table || exit 1
in_batches import_table || exit 1

failed=0
for table in "${tables[@]}"; do
  there=$(ask "$source" "SELECT COUNT(*) FROM $table")
  here=$(ask "$target" "SELECT COUNT(*) FROM $table")
  if [ "$there" != "$here" ]; then
    echo "$table: $there rows in the source, $here in the target" >&2
    failed=1
  fi
done
exit $failed
