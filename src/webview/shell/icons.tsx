/** Outlines on a grid of 16, drawn with the colour of the text around them. */
const SHAPES = {
  next: 'M3 3l6 5-6 5zM11 3v10',
  previous: 'M13 3L7 8l6 5zM5 3v10',
  nextOfRequest: 'M2 10.500a6 6 0 0 1 11-4M13.500 2.500v4.300H9.200M8 11.200a1.300 1.300 0 1 1-.01 0z',
  previousOfRequest: 'M14 10.500a6 6 0 0 0-11-4M2.500 2.500v4.300h4.300M8 11.200a1.300 1.300 0 1 1-.01 0z',
  stepIn: 'M8 1.500v7M5 5.500l3 3 3-3M8 11.700a1.300 1.300 0 1 1-.01 0z',
  stepOut: 'M8 9V2M5 5l3-3 3 3M8 11.700a1.300 1.300 0 1 1-.01 0z',
  first: 'M3 3v10M13 3L6 8l7 5z',
  last: 'M13 3v10M3 3l7 5-7 5z',
  fit: 'M2 4v8M14 4v8M4 8h8M6 6L4 8l2 2M10 6l2 2-2 2',
  zoomIn: 'M7 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM10 10l4 4M7 5v4M5 7h4',
  zoomOut: 'M7 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM10 10l4 4M5 7h4',
  measure: 'M1.500 5h13v6h-13zM4.500 5v3M7.500 5v4M10.500 5v3M13 5v2',
  search: 'M7 2.500a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9zM10.500 10.500l4 4',
  pin: 'M6 2h4M7 2v4.500L4.500 9.500h7L9 6.500V2M8 9.500V14',
  export: 'M8 2v8M5 7l3 3 3-3M2.500 11v2.500h11V11',
  table: 'M2 3h12v10H2zM2 6.500h12M2 9.700h12M6.500 3v10',
  panel: 'M2 3h12v10H2zM10 3v10',
  close: 'M4 4l8 8M12 4l-8 8',
  help: 'M6 6a2 2 0 1 1 2.600 1.900c-.4.200-.6.500-.6 1.100M8 11.500h.01M8 1.800a6.200 6.200 0 1 1 0 12.400A6.200 6.200 0 0 1 8 1.800z',
  text: 'M3 4h10M3 7h7M3 10h10M3 13h5',
  up: 'M3 10l5-5 5 5',
  down: 'M3 6l5 5 5-5',
} as const;
export type IconName = keyof typeof SHAPES;

/** A picture for a button; its meaning stands in the button's label. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={SHAPES[name]} />
    </svg>
  );
}
