import { Icon, type IconName } from './icons';

interface ButtonProps {
  readonly icon: IconName;
  /** Accessible name and tooltip. */
  readonly label: string;
  /** Key shown in the tooltip. */
  readonly shortcut?: string;
  readonly onPress: () => void;
  /** For toggles. */
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly disabled?: boolean;
}

/** A button with an icon. */
export function IconButton(props: ButtonProps) {
  const { icon, label, shortcut, onPress, pressed, expanded, disabled } = props;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={shortcut === undefined ? label : `${label} (${shortcut})`}
      aria-keyshortcuts={shortcut}
      aria-pressed={pressed}
      aria-expanded={expanded}
      disabled={disabled}
      onClick={onPress}
    >
      <Icon name={icon} />
    </button>
  );
}
