import type { FaceProps } from '../faces';
import { Icon } from './icons';
import { formatCount, formatExact } from '../timeline/format';
import { useValue } from '../use_signal';

/** What happened at the cursor, in one line; screen readers hear it after every step. */
export function StatusLine({ store }: FaceProps) {
  const cursor = useValue(store.cursor);
  const trace = useValue(store.trace);
  const notice = useValue(store.notice);
  const t = useValue(store.words);
  const several = useValue(store.traces).length > 1;
  if (trace === undefined) return null;
  return (
    <footer class="status">
      {several && <span class="request">{trace.name}</span>}
      <span class="what" role="status" aria-live="polite">
        {cursor.event < 0 ? t('No events') : cursor.text}
      </span>
      {cursor.event >= 0 && <span class="time">{formatExact(cursor.time)}</span>}
      <span class="notice" role="status" aria-live="polite">
        {notice}
      </span>
      <span class="time">{t('{0} events', formatCount(trace.events))}</span>
      <span class="kernel" title={trace.warnings.join('\n')}>
        {trace.simulated ? t('{0}: times are no measurements', trace.kernel) : trace.kernel}
        {trace.warnings.length > 0 &&
          ` · ${trace.warnings.length === 1 ? t('1 warning') : t('{0} warnings', trace.warnings.length)}`}
      </span>
    </footer>
  );
}

/** An error, or what the host is busy with, in words above everything else. */
export function Banner({ store }: FaceProps) {
  const problem = useValue(store.problem);
  const t = useValue(store.words);
  if (problem === undefined) return null;
  return (
    <div class={problem.failed ? 'banner failed' : 'banner'} role={problem.failed ? 'alert' : 'status'}>
      <span>{problem.text}</span>
      {problem.progress !== undefined && (
        <progress value={problem.progress} max={1} aria-label={problem.text} />
      )}
      <button
        type="button"
        class="icon-button"
        aria-label={t('Close')}
        onClick={() => {
          store.problem.value = undefined;
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
