import type { Command } from './command';
import { checkCommand } from './commands/check';
import { exportCommand } from './commands/export';
import { requestsCommand } from './commands/requests';
import { ringCommand } from './commands/ring';
import { runCommand } from './commands/run';
import { showCommand } from './commands/show';

/** Every command there is, in the order that help lists them. */
export const COMMANDS: readonly Command[] = [
  runCommand(),
  ringCommand,
  requestsCommand,
  showCommand,
  checkCommand,
  exportCommand,
];
