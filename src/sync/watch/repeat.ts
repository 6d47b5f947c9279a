/** Ends the tasks of a run; what is thrown within a timer would end the whole process. */
export type GiveUp = (reason: unknown) => void;

/** One look after another, never two at a time, each says in how many milliseconds the next is due; the first that throws is the last. Returns how to stop. */
export function repeat(look: () => Promise<number>, giveUp: GiveUp): () => void {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const next = (): void => {
    look().then(
      (ms) => {
        if (!over) timer = setTimeout(next, ms);
      },
      (error: unknown) => {
        if (!over) giveUp(error);
      },
    );
  };
  next();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
