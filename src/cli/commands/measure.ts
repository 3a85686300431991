import type { Command } from 'commander';
import { continuingCommand } from './resume.js';

export function measureCommand(): Command {
  return continuingCommand('measure', 'measure the trajectory that `lca train` stored');
}
