import type { RequestTable } from '../trace/requests';
import { finish, type Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';
import { ChainRules } from './chains';
import { DataRules } from './data';
import { Model } from './model';
import type { Observer } from './observer';
import { Pass, StepRunner, type Step } from './pass';
import { PipeRules } from './pipes';
import { Findings } from './report';
import { RingRules } from './rings';
import { SlotRules } from './slots';
import { TagRules } from './tags';
import { SpliceRules } from './splices';
import type { CheckReport } from './types';

/** Events of one slice. */
const SLICE = 2048;

/** A group of rules: hears the model, and may read events itself. */
interface Group extends Observer {
  steps?(): [string, Step][];
}

/**
 * Tests every rule on a trace, in one pass from front to end. State from before the trace is unknown and never a violation;
 * where the text tells of lost or damaged lines, everything is unknown again. `requests` only gives lives to violations.
 */
export function checkTrace(trace: Trace, requests?: RequestTable): CheckReport {
  return finish(checkSlices(trace, requests));
}

/** {@link checkTrace} in slices. Give it `requests`: without them, making the report may take long. */
export function* checkSlices(trace: Trace, requests?: RequestTable): Sliced<CheckReport> {
  const pass = new Pass(trace);
  const findings = new Findings(pass);
  const groups: Group[] = [];
  const model = new Model(pass, groups);
  const splices = new SpliceRules(pass, model, findings);
  groups.push(
    new RingRules(pass, model, findings),
    new ChainRules(pass, findings),
    new SlotRules(pass, model, findings),
    new TagRules(pass, model, findings),
    new DataRules(pass, model, findings),
    new PipeRules(pass, model, findings, splices),
    splices,
  );
  const steps = new Map<string, Step[]>();
  // The model comes last: rules see the state before the event.
  for (const group of [...groups, model]) {
    for (const [name, step] of group.steps?.() ?? []) {
      const list = steps.get(name);
      if (list) list.push(step);
      else steps.set(name, [step]);
    }
  }
  const runner = new StepRunner(pass, steps, () => model.forget());
  const { length } = trace;
  for (let to = SLICE; runner.advance(to); to += SLICE) yield Math.min(1, to / length);
  model.finish();
  yield 1;
  return findings.report(requests);
}
