/** A table with its partitions, told of as one. */
interface Group {
  name: string;
  parts: number;
  left: number;
  rows: number;
  bytes: number;
  startedAt: number;
}

/** Adds up the partitions of a table, so that people read one line for its start and one for its end. */
export interface GroupBook {
  /** The group when this is its first part to start. */
  start: (name: string, parts: number, now: number) => Group | undefined;
  /** The group when this was its last part. */
  finish: (name: string, done: { rows: number; bytes: number }) => Group | undefined;
}

export function groupBook(): GroupBook {
  const groups = new Map<string, Group>();
  return {
    start: (name, parts, now) => {
      if (groups.has(name)) return undefined;
      const group: Group = { name, parts, left: parts, rows: 0, bytes: 0, startedAt: now };
      groups.set(name, group);
      return group;
    },
    finish: (name, done) => {
      const group = groups.get(name);
      if (!group) return undefined;
      group.rows += done.rows;
      group.bytes += done.bytes;
      group.left -= 1;
      return group.left === 0 ? group : undefined;
    },
  };
}
