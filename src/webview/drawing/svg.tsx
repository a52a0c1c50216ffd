import { type Mark, round, TEXT } from './marks';

function strokes(mark: Exclude<Mark, { k: 'text' }>) {
  const { fill, stroke, width, dash, faint } = mark;
  const names = [`f-${fill ?? 'none'}`];
  if (faint) names.push('faint');
  if (stroke !== undefined) names.push(`s-${stroke}`);
  return { class: names.join(' '), 'stroke-width': width, 'stroke-dasharray': dash };
}

function One({ mark }: { readonly mark: Mark }) {
  switch (mark.k) {
    case 'rect':
      return (
        <rect
          x={round(mark.x)}
          y={round(mark.y)}
          width={round(mark.w)}
          height={round(mark.h)}
          rx={mark.r}
          {...strokes(mark)}
        />
      );
    case 'circle':
      return <circle cx={round(mark.x)} cy={round(mark.y)} r={round(mark.r)} {...strokes(mark)} />;
    case 'path':
      return <path d={mark.d} stroke-linejoin="round" {...strokes(mark)} />;
    case 'text':
      return (
        <text
          x={round(mark.x)}
          y={round(mark.y)}
          font-size={mark.size ?? TEXT}
          text-anchor={mark.anchor}
          class={`f-${mark.fill ?? 'text'}${mark.bold ? ' bold' : ''}${mark.halo ? ' halo' : ''}`}
        >
          {mark.text}
        </text>
      );
  }
}

/** Marks in the colours of the theme. Words for screen readers stand on the part around them. */
export function Marks({ marks }: { readonly marks: readonly Mark[] }) {
  return (
    <g>
      {marks.map((mark, k) => (
        <One key={k} mark={mark} />
      ))}
    </g>
  );
}
