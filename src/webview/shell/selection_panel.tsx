import type { FaceProps } from '../faces';
import { MAX_SHARE, phaseShares } from './shares';
import type { Statistics } from '../protocol_data';
import { spanWords } from '../timeline/legend';
import { formatBytes, formatCount, formatDuration, formatExact } from '../timeline/format';
import { useValue } from '../use_signal';
import { IconButton } from './button';

/** Counts and percentiles of the selected range of time. */
export function SelectionPanel({ store }: FaceProps) {
  const selection = useValue(store.selection);
  const statistics = useValue(store.statistics);
  const t = useValue(store.words);
  if (selection === undefined) return null;
  return (
    <article class="measured" aria-label={t('Selected range')}>
      <header>
        <h2>{formatDuration(selection.to - selection.from)}</h2>
        <IconButton
          icon="close"
          label={t('Clear the selection')}
          shortcut="Esc"
          onPress={() => store.select(undefined)}
        />
      </header>
      <p class="quiet">{t('{0} to {1}', formatExact(selection.from), formatExact(selection.to))}</p>
      {statistics === undefined ? (
        <p class="calm">{t('Measuring …')}</p>
      ) : (
        <Figures store={store} of={statistics} />
      )}
    </article>
  );
}

function Figures({ store, of }: FaceProps & { readonly of: Statistics }) {
  const t = useValue(store.words);
  const names = spanWords(t);
  const counts: [string, string][] = [
    [t('Events'), formatCount(of.events)],
    [t('SQEs'), formatCount(of.sqes)],
    [t('CQEs'), formatCount(of.cqes)],
    [t('Errors'), formatCount(of.errors)],
    [t('Bytes'), formatBytes(of.bytes)],
    [t('Requests completed'), formatCount(of.latency.count)],
  ];
  const shares = phaseShares(of.phases);
  return (
    <>
      <dl class="counts">
        {counts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {of.latency.count > 0 && (
        <table class="percentiles">
          <caption>{t('Time of the requests that complete here')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('Phase')}</th>
              <th scope="col">{t('Share')}</th>
              <th scope="col">p50</th>
              <th scope="col">p90</th>
              <th scope="col">p99</th>
            </tr>
          </thead>
          <tbody>
            <tr class="whole">
              <th scope="row">{t('Whole')}</th>
              <td>100 %</td>
              <td>{formatDuration(of.latency.p50)}</td>
              <td>{formatDuration(of.latency.p90)}</td>
              <td>{formatDuration(of.latency.p99)}</td>
            </tr>
            {of.phases.map(({ kind, percentiles, total: phaseTotal }, k) => (
              <tr key={kind}>
                <th scope="row">
                  <i class={`swatch ${kind}`} aria-hidden="true" /> {names[kind]}
                </th>
                <td>
                  {/* A bar for the eye, the figure for everyone. */}
                  <i
                    class={`share ${kind}`}
                    style={{ width: `${(shares[k]! / MAX_SHARE) * 100}%` }}
                    aria-hidden="true"
                  />
                  {shares[k] === 0 && phaseTotal > 0 ? '< 1' : shares[k]} %
                </td>
                <td>{formatDuration(percentiles.p50)}</td>
                <td>{formatDuration(percentiles.p90)}</td>
                <td>{formatDuration(percentiles.p99)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {of.slowest.length > 0 && (
        <section>
          <h3>{t('Slowest requests')}</h3>
          <ul class="links ranked">
            {of.slowest.map(({ request, label, ns }) => (
              <li key={request}>
                <button type="button" class="link" onClick={() => void store.goToRequest(request)}>
                  {label}
                </button>
                <span>{formatDuration(ns)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
