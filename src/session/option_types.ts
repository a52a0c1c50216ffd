import type { ServerName } from './ast';
import type { SizeStyle } from './sizes';

/**
 * Every command, option, setting and fault of the session language, written once: the parser checks against these
 * rows, and completion, hovers and the documentation read them too.
 */
export interface OptionSpec {
  /** What the parser calls it; unique in its command. */
  name: string;
  /** Letter of `-x`. */
  short?: string;
  /** Names of `--xxx`; in operand style, of `xxx=`. */
  long?: readonly string[];
  /** Placeholder of the value; absent: takes none. */
  argument?: string;
  /** The long form alone takes a value (a quirk of the real tool). */
  longArgument?: string;
  /** `--xxx=1` and bare `--xxx` are both accepted. */
  optionalArgument?: boolean;
  type: 'flag' | 'bool' | 'integer' | 'u64' | 'size' | 'duration' | 'enum' | 'list' | 'errno' | 'text';
  /** Accepted values of enum and list. */
  values?: readonly string[];
  /** Values the real tool takes and the simulator does not. */
  notSimulated?: readonly string[];
  min?: number;
  max?: number;
  sizes?: SizeStyle;
  /** The real tool silently takes `max` for anything above it. */
  clamps?: true;
  /** Unit of a bare duration. */
  unit?: string;
  default?: string;
  /** Defaults that differ by server. */
  defaults?: Partial<Record<ServerName, string>>;
  doc: string;
  /** Servers whose tool has it; absent: every version. */
  servers?: readonly ServerName[];
  /** Of `sqe`: operations that it belongs to; absent: all. */
  ops?: readonly string[];
  /** False: real, but the simulator lacks it; its use is an error. */
  simulated?: false;
  /** Real, accepted, and without effect here. */
  noEffect?: true;
}

export interface CommandSpec {
  /** As typed: 'truncate', 'ublk add'. */
  name: string;
  /** getopt: -x and --xxx anywhere; fio: --xxx and -xxx; operands: xxx=value; words: positional. */
  style: 'getopt' | 'fio' | 'operands' | 'words';
  synopsis: string;
  doc: string;
  options: readonly OptionSpec[];
  simulated?: false;
}
