/** Ends the tasks of a run; what is thrown within a timer would end the whole process. */
export type GiveUp = (reason: unknown) => void;
