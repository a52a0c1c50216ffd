import type { RequestTable } from '../trace/requests';
import type { Trace } from '../trace/trace';
import { DataRules } from './data';
import { Model } from './model';
import type { Observer } from './observer';
import { Pass, runSteps, type Step } from './pass';
import { PipeRules } from './pipes';
import { Findings } from './report';
import { RingRules } from './rings';
import { SlotRules } from './slots';
import { TagRules } from './tags';
import { SpliceRules } from './splices';
import type { CheckReport } from './types';

/** A group of rules: hears the model, and may read events itself. */
interface Group extends Observer {
  steps?(): [string, Step][];
}

/**
 * Tests every rule on a trace, in one pass from front to end. State from before the trace is unknown and never a violation;
 * where the text tells of lost or damaged lines, everything is unknown again. `requests` only gives lives to violations.
 */
export function checkTrace(trace: Trace, requests?: RequestTable): CheckReport {
  const pass = new Pass(trace);
  const findings = new Findings(pass);
  const groups: Group[] = [];
  const model = new Model(pass, groups);
  const splices = new SpliceRules(pass, model, findings);
  groups.push(
    new RingRules(pass, model, findings),
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
  runSteps(pass, steps, () => model.forget());
  model.finish();
  return findings.report(requests);
}
