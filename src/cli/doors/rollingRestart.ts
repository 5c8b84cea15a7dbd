/** `stctl rolling-restart`. */
import { operationDoor } from '../operationDoor';
import { gracefulFields, gracefulOptions, wholeOf, type GracefulFlags } from './graceful';

interface Flags extends GracefulFlags {
  startedBefore?: string;
  parallel?: string;
}

export const rollingRestart = operationDoor<Flags>({
  operation: 'rollingRestart',
  args: '[nodes...]',
  summary: 'Restart nodes one after the other while the others go on',
  examples: [
    'stctl rolling-restart                                            every member: plan with what it would cut, ask, restart',
    'stctl rolling-restart st2 ed1 --graceful-timeout 10m             these two, each with ten minutes to end its work',
    'stctl rolling-restart --started-before 2026-11-30T12:00:00Z      only what has not been restarted since',
  ],
  options: (command) => {
    gracefulOptions(command)
      .option('--started-before <time>', 'leave alone what was started later, e.g. 2026-11-30T12:00:00Z: to complete a restart that stopped')
      .option('--parallel <n>', 'how many nodes at once; 1 when left out');
  },
  question: ({ cluster, nodes }) => `Restart ${Array.isArray(nodes) && nodes.length > 0 ? nodes.join(', ') : 'every node'} of cluster "${cluster}" exactly so?`,
  input: (nodes, flags) => ({
    ...(nodes.length > 0 ? { nodes } : {}), ...gracefulFields(flags), startedBefore: flags.startedBefore, parallel: wholeOf(flags.parallel),
  }),
});
