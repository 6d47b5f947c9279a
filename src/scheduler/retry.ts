export interface RetryPolicy {
  /** Attempts in all, the first included. */
  attempts: number;
  /** Milliseconds before the second attempt; each further wait is longer by the same amount. Default 2000. */
  delayMs?: number | undefined;
  isWorthwhile: (error: unknown) => boolean;
  /** Waits; throws when the run is cancelled. */
  wait: (ms: number) => Promise<void>;
  onRetry: (event: { attempt: number; attempts: number; delayMs: number; error: unknown }) => void;
}

/** Calls `work` until it succeeds, fails for good, or the attempts are used up; then the last error is thrown. */
export async function withRetries<T>(policy: RetryPolicy, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= policy.attempts || !policy.isWorthwhile(error)) throw error;
      const delayMs = (policy.delayMs ?? 2000) * attempt;
      policy.onRetry({ attempt, attempts: policy.attempts, delayMs, error });
      await policy.wait(delayMs);
    }
  }
}
