import { uringProfile } from '../kernel/uring/uring_profile';
import { explore } from '../ring/explore';
import { orderRelation } from '../ring/order';
import { readProgram } from '../ring/read_program';
import { runProgram } from '../ring/run';
import { busyTime, type Figure, spread } from './measure';
import { familyProgram } from './ring_family';
import type { Setting } from './setting';

/** Programs of the family, and what each of them may take, ms. */
const PROGRAMS = 60;
const GOAL = 1000;
/** An exploration ends here, ms. */
const MOST = 1500;

/** Order relation and all outcomes of programs of eight SQEs. */
export function* ringFigures({ plan }: Setting): Generator<Figure> {
  const profile = uringProfile('6.18')!;
  const programs = plan.runs > 1 ? PROGRAMS : 3;
  const times: number[] = [];
  let answered = 0;
  for (let seed = 0; seed < programs; seed++) {
    const program = readProgram(familyProgram(seed));
    const start = busyTime();
    const { complete, comes } = explore(program, profile, busyTime, {
      schedules: 200_000,
      time: MOST,
      outcomes: 1000,
    });
    orderRelation(runProgram(program, { profile }), comes);
    const took = busyTime() - start;
    times.push(took);
    if (complete && took < GOAL) answered++;
  }
  const { median, p95 } = spread(times);
  yield {
    bench: 'all orders of 8 SQEs',
    unit: 'ms',
    better: 'lower',
    median,
    p95,
    runs: programs,
    goal: GOAL,
  };
  yield {
    bench: 'all orders of 8 SQEs: complete within 1 s',
    unit: '%',
    better: 'higher',
    median: (100 * answered) / programs,
    runs: programs,
  };
}
