import type { ComponentChild } from 'preact';
import type { Exploded } from '../protocol_faces';
import type { Words } from '../words';

interface ValueProps {
  readonly value: Exploded;
  readonly t: Words;
  readonly onBreak: (path: string) => void;
}

/** A value with what it was before; pressing it breaks when it changes. Values without a path are only said. */
function Value({ value, t, onBreak }: ValueProps) {
  const { name, value: now, previous, path, help } = value;
  const changed = previous !== undefined;
  const content = (
    <>
      <span class="name">{changed ? `▲ ${name}` : name}</span>
      <span class="now">{now}</span>
      {changed && previous !== '' && <span class="was">{t('was {0}', previous)}</span>}
      {changed && previous === '' && path !== '' && <span class="was">{t('new')}</span>}
    </>
  );
  const look = `machine-value${changed ? ' changed' : ''}`;
  if (path === '')
    return (
      <span class={look} title={help}>
        {content}
      </span>
    );
  const action = t('Break when this changes (B)');
  return (
    <button
      type="button"
      class={look}
      data-path={path}
      title={help === undefined ? action : `${help} ${action}`}
      onClick={() => onBreak(path)}
      onKeyDown={(event) => {
        if (event.key !== 'b' || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        onBreak(path);
      }}
    >
      {content}
      <span class="dot" aria-hidden="true" />
      <span class="unseen">{t('break when this changes')}</span>
    </button>
  );
}

/** Values side by side. */
export function Values({
  values,
  label,
  t,
  onBreak,
  more,
}: {
  readonly values: readonly Exploded[];
  readonly label: string;
  readonly t: Words;
  readonly onBreak: (path: string) => void;
  /** A last thing in the row. */
  readonly more?: ComponentChild;
}) {
  return (
    <ul class="machine-values" aria-label={label}>
      {values.map((value, k) => (
        <li key={value.path === '' ? `${value.name}${k}` : value.path}>
          <Value value={value} t={t} onBreak={onBreak} />
        </li>
      ))}
      {more !== undefined && <li>{more}</li>}
    </ul>
  );
}
