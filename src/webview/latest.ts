/**
 * Keeps at most one piece of work under way and remembers only the newest wish meanwhile: what a person asked for in between
 * is out of date by the time it could start.
 */
export function latest<A, R>(
  work: (ask: A) => Promise<R>,
  done: (answer: R, ask: A) => void,
  failed: (error: unknown, ask: A) => void,
): (ask: A) => void {
  let busy = false;
  let wish: { ask: A } | undefined;
  const start = (ask: A): void => {
    busy = true;
    work(ask)
      .then(
        (answer) => done(answer, ask),
        (error: unknown) => failed(error, ask),
      )
      .finally(() => {
        busy = false;
        const next = wish;
        wish = undefined;
        if (next !== undefined) start(next.ask);
      });
  };
  return (ask) => {
    if (busy) wish = { ask };
    else start(ask);
  };
}

/**
 * Runs pieces of work one after the other and drops what comes while `limit` wait: a held key must not leave a tail of steps
 * behind when it is let go.
 */
export function oneByOne(limit: number): (work: () => Promise<void>) => void {
  const queue: (() => Promise<void>)[] = [];
  let busy = false;
  const pump = (): void => {
    const work = queue.shift();
    if (work === undefined) {
      busy = false;
      return;
    }
    busy = true;
    work().finally(pump);
  };
  return (work) => {
    if (queue.length >= limit) return;
    queue.push(work);
    if (!busy) pump();
  };
}
