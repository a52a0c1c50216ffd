import type { ComponentChildren } from 'preact';
import type { FaceProps } from '../faces';
import type { Explanation } from '../protocol_data';
import { useValue } from '../use_signal';
import { IconButton } from './button';
import { SelectionPanel } from './selection_panel';

/** Beside the face: statistics of the selected range, and what the current event is, why it is here and what comes next. */
export function SidePanel({ store }: FaceProps) {
  const open = useValue(store.sidePanel);
  const explanation = useValue(store.explanation);
  const cursor = useValue(store.cursor);
  const selection = useValue(store.selection);
  const t = useValue(store.words);
  if (!open) return null;
  return (
    <aside class="side" aria-label={t('Explanation')}>
      {selection !== undefined && <SelectionPanel store={store} />}
      {cursor.event < 0 && <p class="calm">{t('No event yet.')}</p>}
      {explanation !== undefined && cursor.event >= 0 && (
        <Explained store={store} explanation={explanation} stale={explanation.event !== cursor.event} />
      )}
    </aside>
  );
}

interface ExplainedProps extends FaceProps {
  readonly explanation: Explanation;
  /** True while the explanation of the new event is on its way. */
  readonly stale: boolean;
}

function Explained({ store, explanation, stale }: ExplainedProps) {
  const t = useValue(store.words);
  const { where, why, next, fields, violations } = explanation;
  return (
    <article class={stale ? 'explained stale' : 'explained'}>
      <header>
        <h2>{explanation.name}</h2>
        <IconButton
          icon="text"
          label={t('Show in the trace text')}
          onPress={() => void store.reveal('text')}
        />
      </header>
      {violations.map(({ rule, text }) => (
        <p key={rule + text} class="violation">
          <strong>{rule}</strong> {text}
        </p>
      ))}
      <p class="what">{explanation.what}</p>
      <Part title={t('Why here')} when={why.length > 0}>
        <Links store={store} links={why} />
      </Part>
      <Part title={t('What comes next')} when={next.length > 0}>
        <Links store={store} links={next} />
      </Part>
      <Part title={t('Fields')} when={fields.length > 0}>
        <dl class="facts">
          {fields.map(({ name, value, help }) => (
            <Fact key={name} name={name} value={value} help={help} code />
          ))}
        </dl>
      </Part>
      <Part title={t('Where')} when>
        <dl class="facts">
          <Fact name={t('Function')} value={where.function} code />
          <Fact name={t('Context')} value={where.context} />
          <Fact name={t('Kernel')} value={where.kernel} />
          <Fact name={t('Lesson')} value={where.lesson} />
        </dl>
      </Part>
      <Part title={t('Line of the trace')} when={explanation.line !== ''}>
        <pre>{explanation.line}</pre>
      </Part>
    </article>
  );
}

function Part(props: { title: string; when: boolean; children: ComponentChildren }) {
  if (!props.when) return null;
  return (
    <section>
      <h3>{props.title}</h3>
      {props.children}
    </section>
  );
}

function Fact(props: { name: string; value: string; help?: string; code?: boolean }) {
  const { name, value, help = '', code = false } = props;
  if (value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {code ? <code>{value}</code> : value}
        {help !== '' && <small>{help}</small>}
      </dd>
    </div>
  );
}

/** Links shown before the rest is folded away. */
const FIRST_LINKS = 3;

interface LinksProps extends FaceProps {
  readonly links: readonly { readonly text: string; readonly event: number }[];
}

/** Sentences, those that name an event with a link to it; a long chain begins with its nearest ones. */
function Links({ store, links }: LinksProps) {
  const t = useValue(store.words);
  const list = (part: LinksProps['links']) => (
    <ul class="links">
      {part.map((link) => (
        <LinkLine key={`${link.event} ${link.text}`} store={store} {...link} />
      ))}
    </ul>
  );
  if (links.length <= FIRST_LINKS + 1) return list(links);
  return (
    <>
      {list(links.slice(0, FIRST_LINKS))}
      <details>
        <summary>{t('{0} more', links.length - FIRST_LINKS)}</summary>
        {list(links.slice(FIRST_LINKS))}
      </details>
    </>
  );
}

function LinkLine({ store, text, event }: FaceProps & { readonly text: string; readonly event: number }) {
  if (event < 0) return <li>{text}</li>;
  // `name (context): sentence`: the name is enough to click on.
  const [, name, rest] = /^(.*?\)): (.*)$/s.exec(text) ?? [text, text, ''];
  return (
    <li>
      <button type="button" class="link" onClick={() => store.move(event, store.cursor.peek().request)}>
        {name}
      </button>
      {rest !== '' && <span> {rest}</span>}
    </li>
  );
}
