import { openSession, openTraceText } from '../../../src/debug/open';
import type { OpenTrace } from '../../../src/debug/model';
import { finish } from '../../../src/trace/slices';
import { answerAbout } from '../../../src/view/answer';
import { type TraceView, viewSlices } from '../../../src/view/view';
import type { Ask, Hello, RequestName, Requests, SavedView, Tell } from '../../../src/webview/protocol';
import { PROTOCOL_VERSION } from '../../../src/webview/protocol';
import { putTheme, type ThemeName } from './themes';

/** A trace to show: a session to simulate, or the text of a trace. */
export interface Spec {
  readonly name: string;
  readonly session?: string;
  readonly text?: string;
}

/** What the tests reach from outside. */
export interface Harness {
  /** Every request of the view, in order. */
  readonly asked: Ask[];
  /** What the view kept. */
  state: SavedView | undefined;
  /** Saved pictures and texts. */
  readonly saved: Requests['save']['ask'][];
  theme(name: ThemeName): void;
  /** Shows other traces, as when a session is run again. */
  replace(specs: readonly Spec[]): Promise<void>;
  /** Sends an event of the host. */
  tell(message: Tell): void;
  /** Makes the next request of a name fail. */
  failNext: { name: RequestName; message: string } | undefined;
}

declare global {
  interface Window {
    SPECS?: readonly Spec[];
    THEME?: ThemeName;
    STATE?: SavedView;
    harness: Harness;
    acquireVsCodeApi: () => unknown;
  }
}

const english = (text: string, ...values: (string | number)[]): string =>
  text.replace(/\{(\d+)\}/g, (_, k: string) => String(values[Number(k)]));

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function openSpec(spec: Spec): Promise<OpenTrace> {
  if (spec.session !== undefined) return openSession(spec.name, spec.session, { pause });
  return openTraceText(spec.name, [new TextEncoder().encode(spec.text ?? '')], { pause });
}

/** The extension's half of the channel, in the page itself, over the same model that the extension uses. */
class FakeHost {
  private views: readonly TraceView[] = [];
  private pins: string[] = [];
  private opened: Promise<void>;

  constructor(specs: readonly Spec[]) {
    this.opened = this.open(specs);
  }

  async replace(specs: readonly Spec[]): Promise<void> {
    this.opened = this.open(specs);
    await this.opened;
    send({
      event: 'replaced',
      with: { traces: this.summaries(), cursors: this.views.map((view) => view.cursor()) },
    });
  }

  async answer(ask: Ask): Promise<Requests[RequestName]['answer']> {
    await this.opened;
    switch (ask.ask) {
      case 'hello':
        return this.hello(ask.with.saved);
      case 'pin': {
        const { key, on } = ask.with;
        this.pins = on ? [...this.pins, key] : this.pins.filter((pin) => pin !== key);
        return { pins: this.pins };
      }
      case 'save':
        window.harness.saved.push(ask.with);
        return { saved: true };
      case 'copy':
        return {};
      default:
        return this.answerOf(ask, this.views[ask.with.trace]!);
    }
  }

  private async open(specs: readonly Spec[]): Promise<void> {
    const open = await Promise.all(specs.map(openSpec));
    this.views = open.map((one) => finish(viewSlices(one, english)));
  }

  private summaries(): Hello['traces'] {
    return this.views.map((view, k) => view.summary(`file:///${k}/${view.open.name}`));
  }

  private hello(saved: SavedView | undefined): Hello {
    const first = this.views[0];
    if (saved !== undefined && first !== undefined) {
      first.open.cursor.move(saved.cursor.event, saved.cursor.request < 0 ? undefined : saved.cursor.request);
    }
    return {
      version: PROTOCOL_VERSION,
      traces: this.summaries(),
      cursors: this.views.map((view) => view.cursor()),
      pins: this.pins,
      view: saved,
      strings: {},
    };
  }

  private answerOf(
    ask: Exclude<Ask, { ask: 'hello' | 'pin' | 'save' | 'copy' }>,
    view: TraceView,
  ): Requests[RequestName]['answer'] {
    switch (ask.ask) {
      case 'move':
        view.open.cursor.move(ask.with.event, ask.with.request < 0 ? undefined : ask.with.request);
        return view.cursor();
      case 'step': {
        const { event, request } = view.step(ask.with.step);
        view.open.cursor.move(event, request);
        return view.cursor();
      }
      case 'breakWhen':
        return { message: `Stops when ${ask.with.path} changes` };
      case 'reveal':
        return {};
      default:
        return finish(answerAbout(view, ask))!;
    }
  }
}

function send(message: Tell): void {
  // A copy, as between VS Code and a real webview.
  window.postMessage(structuredClone(message), '*');
}

putTheme(document, window.THEME ?? 'dark');
const host = new FakeHost(window.SPECS ?? []);

window.harness = {
  asked: [],
  state: window.STATE,
  saved: [],
  failNext: undefined,
  theme: (name) => putTheme(document, name),
  replace: (specs) => host.replace(specs),
  tell: send,
};

async function reply(ask: Ask): Promise<void> {
  const { harness } = window;
  harness.asked.push(ask);
  try {
    if (harness.failNext?.name === ask.ask) {
      const { message } = harness.failNext;
      harness.failNext = undefined;
      throw new Error(message);
    }
    send({ id: ask.id, answer: await host.answer(ask) });
  } catch (error) {
    send({ id: ask.id, error: error instanceof Error ? error.message : String(error) });
  }
}

window.acquireVsCodeApi = () => ({
  postMessage: (ask: Ask) => void reply(structuredClone(ask)),
  getState: () => window.harness.state,
  setState: (view: SavedView) => {
    window.harness.state = view;
  },
});
