import type { Session } from "../postgres/session.ts";
import type { TaskContext } from "./context.ts";

/** So many of one file are told; a loop may raise millions. */
const TOLD = 50;

/** Tells what the user's SQL raises (`RAISE NOTICE`, `RAISE WARNING`, the server's own), until disposal. */
export function tellNotices(
  session: Session,
  name: string,
  hide: (text: string) => string,
  context: Pick<TaskContext, "tell" | "warn">,
): Disposable {
  let heard = 0;
  const listening = session.onNotice(({ severity, code, message }) => {
    heard += 1;
    if (heard > TOLD) return;
    const text = `${name}: ${hide(message)}`;
    if (severity === "WARNING" || code.startsWith("01")) context.warn("own-sql", text);
    else context.tell("own-sql", text);
  });
  return {
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
      if (heard > TOLD) context.tell("own-sql", `${name}: and ${heard - TOLD} notices more.`);
    },
  };
}
