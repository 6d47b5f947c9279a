/** pg_dump and pg_restore, each as it compresses by default and without compression, which is faster where both are near. */
export function dumpsAndRestores({ source, target, clients }) {
  if (clients === undefined) return [];
  return ["", " -Z0"].flatMap((compression) => [
    {
      name: `pg_dump -Fc${compression} | pg_restore`,
      kind: "copy",
      intoEmpty: true,
      command: `pg_dump -Fc${compression} -d '${source}' | pg_restore -d '${target}'`,
    },
    {
      name: `pg_dump -Fd -j2${compression} && pg_restore -j2`,
      kind: "copy",
      intoEmpty: true,
      command: `pg_dump -Fd -j2${compression} -f dump -d '${source}' && pg_restore -j2 -d '${target}' dump`,
    },
  ]);
}
