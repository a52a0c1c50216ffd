import type { Command } from './command';
import { showCommand } from './commands/show';

/** Every command there is, in the order that help lists them. */
export const COMMANDS: readonly Command[] = [showCommand];
