/** `15.18 (Debian …)` → 150018; `16beta1` → 160000. */
export function parseVersion(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?/.exec(text);
  return Number(match?.[1] ?? 0) * 10_000 + Number(match?.[2] ?? 0);
}

/** 150018 → 15. */
export function majorOf(version: number): number {
  return Math.floor(version / 10_000);
}

/** 150018 → `15.18`. */
export function versionTextOf(version: number): string {
  return `${majorOf(version)}.${version % 10_000}`;
}
