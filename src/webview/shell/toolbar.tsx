import type { Command } from '../commands';
import { KEYS } from '../commands';
import type { FaceProps } from '../faces';
import { useValue } from '../use_signal';
import { IconButton } from './button';
import { ExportMenu } from './export_menu';
import type { IconName } from './icons';

const STEPS: readonly (Command & IconName)[] = [
  'first',
  'previousOfRequest',
  'nextOfRequest',
  'stepIn',
  'stepOut',
  'previous',
  'next',
  'last',
];

/** Buttons for what the keys do most. */
export function Toolbar({ store }: FaceProps) {
  const t = useValue(store.words);
  const search = useValue(store.search);
  const table = useValue(store.tableOpen);
  const side = useValue(store.sidePanel);
  const face = useValue(store.face);
  const marked = useValue(store.mark) !== undefined;
  const line = (command: Command) => KEYS.find((key) => key.command === command)!;
  const button = (
    command: Command,
    icon: IconName,
    state: { pressed?: boolean; expanded?: boolean } = {},
  ) => (
    <IconButton
      key={command}
      icon={icon}
      label={t(line(command).what)}
      shortcut={line(command).shown.split('  ')[0]!}
      onPress={() => void store.run(command)}
      {...state}
    />
  );
  return (
    <div class="tools" role="toolbar" aria-label={t('Steps and views')}>
      <span class="group">{STEPS.map((command) => button(command, command))}</span>
      <span class="group">
        {button('fit', 'fit')}
        {button('zoomIn', 'zoomIn')}
        {button('zoomOut', 'zoomOut')}
        {face === 'timeline' && button('measure', 'measure', { pressed: marked })}
      </span>
      <span class="group">
        {button('pin', 'pin')}
        {button('search', 'search', { expanded: search.open })}
        {button('reveal', 'text')}
        <ExportMenu store={store} />
      </span>
      <span class="group end">
        {button('table', 'table', { pressed: table })}
        {button('sidePanel', 'panel', { pressed: side })}
        {button('help', 'help')}
      </span>
    </div>
  );
}
