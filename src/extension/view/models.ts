import type { OpenTrace } from '../../debug/model';
import { SharedWork } from '../../debug/work';
import type { StackIndex } from '../../debug/stack';
import type { TraceView } from '../../view/view';
import type { Translate } from '../translate';
import { turns } from '../work';

/** One trace prepared for views. */
interface Model {
  readonly work: Promise<SharedWork<TraceView>>;
  users: number;
}

/** What views show, built once per trace and dropped with the last view of it. */
export class ViewModels {
  private readonly models = new Map<OpenTrace, Model>();

  constructor(
    private readonly stack: () => Promise<StackIndex>,
    private readonly t: Translate,
  ) {}

  /** Traces that are prepared for views now. */
  get size(): number {
    return this.models.size;
  }

  /** Keeps the model of a trace until {@link release}. */
  hold(open: OpenTrace): void {
    const known = this.models.get(open);
    if (known !== undefined) known.users++;
    else this.models.set(open, { work: this.start(open), users: 1 });
  }

  release(open: OpenTrace): void {
    const known = this.models.get(open);
    if (known !== undefined && --known.users === 0) this.models.delete(open);
  }

  /**
   * The view of a trace that is held, built in slices. undefined where the asker gave up; then what was done stays done.
   * @throws what the build threw
   */
  async get(
    open: OpenTrace,
    how: { readonly progress: (share: number) => void; readonly cancelled: () => boolean },
  ): Promise<TraceView | undefined> {
    const work = await this.models.get(open)?.work;
    return work?.wait({ pause: turns(), ...how });
  }

  private async start(open: OpenTrace): Promise<SharedWork<TraceView>> {
    const [{ viewSlices }, stack] = await Promise.all([import('../../view/view'), this.stack()]);
    return new SharedWork(viewSlices(open, this.t, stack));
  }
}
