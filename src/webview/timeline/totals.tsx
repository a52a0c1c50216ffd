import type { FaceProps } from '../faces';
import { useValue } from '../use_signal';
import { formatBytes, formatCount, formatDuration } from './format';

/** Totals of two traces side by side. */
export function Totals({ store }: FaceProps) {
  const traces = useValue(store.traces);
  const t = useValue(store.words);
  const lines: [title: string, values: string[]][] = [
    [
      t('Bytes copied'),
      traces.map(({ totals: { copied } }) => (copied === undefined ? t('unknown') : formatBytes(copied))),
    ],
    [t('SQEs'), traces.map(({ totals }) => formatCount(totals.sqes))],
    [t('CQEs'), traces.map(({ totals }) => formatCount(totals.cqes))],
    [t('Punts to io-wq'), traces.map(({ totals }) => formatCount(totals.punts))],
    [t('Requests'), traces.map(({ requests }) => formatCount(requests))],
    [t('Length'), traces.map(({ length }) => formatDuration(length))],
  ];
  return (
    <table class="totals">
      <caption class="unseen">{t('Totals of both traces')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('Trace')}</th>
          {lines.map(([title]) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {traces.map((trace, k) => (
          <tr key={trace.uri}>
            <th scope="row">{trace.name}</th>
            {lines.map(([title, values]) => (
              <td key={title} class={new Set(values).size > 1 ? 'differs' : ''}>
                {values[k]}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
