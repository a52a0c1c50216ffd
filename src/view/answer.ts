import type { Sliced } from '../trace/slices';
import type { Ask, RequestName, Requests } from '../webview/protocol';
import type { TraceView } from './view';

/** Requests that need nothing but the trace and its cursor. */
export type TraceAsk = Extract<
  Ask,
  {
    ask:
      | 'slice'
      | 'flow'
      | 'statistics'
      | 'table'
      | 'search'
      | 'explain'
      | 'sequence'
      | 'machine'
      | 'lastChange';
  }
>;

/** Answers a request about a trace, in slices; undefined for a request that is of no such kind. @throws RangeError */
export function* answerAbout(
  view: TraceView,
  ask: TraceAsk,
): Sliced<Requests[RequestName]['answer'] | undefined> {
  switch (ask.ask) {
    case 'slice':
      return view.slice(ask.with);
    case 'flow':
      return view.flow(ask.with.request);
    case 'statistics':
      return yield* view.statistics(ask.with);
    case 'table':
      return view.table(ask.with);
    case 'search':
      return yield* view.search(ask.with);
    case 'explain':
      return view.explain(ask.with.event);
    case 'sequence':
      return view.sequence(ask.with);
    case 'machine':
      return view.machine(ask.with.event);
    case 'lastChange':
      return yield* view.lastChange(ask.with);
    default:
      return undefined;
  }
}
