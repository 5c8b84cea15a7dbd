/** `stctl explain`. */
import { explain as explanationOf, explanationText, unknownCode } from '../../model/explain';
import { exit, exitCodeHelp, exitCodes, UsageError } from '../failure';
import { anyFormat, type Verb } from '../verb';

export const explain: Verb = {
  usage: 'explain <code>',
  summary: 'Say what an error code means, what the state is then, and what to do; "exit-codes" lists those of stctl',
  examples: ['stctl explain PreconditionFailed', 'stctl explain exit-codes'],
  output: anyFormat,
  run: async (cli, [code]) => {
    if (code === 'exit-codes') {
      cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'ExitCodes', items: exitCodes }, table: () => exitCodeHelp, name: () => 'exit-codes' });
      return exit.ok;
    }
    const found = explanationOf(code!);
    if (!found) throw new UsageError(unknownCode(code!));
    cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'Explanation', ...found }, table: () => explanationText(found), name: () => found.code });
    return exit.ok;
  },
};
