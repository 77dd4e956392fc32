/** Lets timers, signals and workers have their turn: an iterator that always has a batch ready would starve them. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
