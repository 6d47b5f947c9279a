import { childrenOf, cpuOf, hasProc } from "./proc.mjs";

/**
 * CPU seconds of a whole cluster since it started: its first process, the children that live, and those that have ended.
 * A child that ends while this reads would be counted twice or not at all; then it reads again.
 */
export function serverCpu(pid) {
  if (!hasProc) return undefined;
  for (let attempt = 1; ; attempt += 1) {
    const before = cpuOf(pid);
    if (before === undefined) return undefined;
    const living = childrenOf(pid).map((child) => cpuOf(child) ?? { own: 0, children: 0 });
    const after = cpuOf(pid);
    if (after?.children !== before.children && attempt < 20) continue;
    return living.reduce((sum, cpu) => sum + cpu.own + cpu.children, before.own + before.children);
  }
}
