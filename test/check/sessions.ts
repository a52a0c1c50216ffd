import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { Printer } from '../../src/trace/print';

/** The trace of a session, as text. */
export function simulated(session: string): string {
  return new Printer(simulate(parseSession(session, 'test.ublk'), {}).trace).text();
}
