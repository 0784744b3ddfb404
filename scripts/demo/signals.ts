/** One press of Ctrl-C may come twice: from the terminal, and handed on by npm. */
const SAME_PRESS_MS = 400;

/** Aborts at the first Ctrl-C, SIGTERM or hang-up; at a later one `again` is called. */
export const onStop = (again: () => void): AbortSignal => {
  const stopping = new AbortController();
  let firstMs: number | undefined;
  const stop = (): void => {
    if (firstMs !== undefined && performance.now() - firstMs > SAME_PRESS_MS) again();
    firstMs ??= performance.now();
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  return stopping.signal;
};
