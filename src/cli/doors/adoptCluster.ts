/** `stctl adopt-cluster`. */
import type { Adoption } from '../../model/adoption';
import { adoptionText, clusterFileText } from '../adoptionText';
import { exit } from '../failure';
import { readAdoptionFile } from '../files';
import { operationDoor } from '../operationDoor';
import { printPlan } from '../planning';
import { sameCluster } from './setUpCluster';

export const adoptCluster = operationDoor<{ file?: string; apply?: boolean }>({
  operation: 'adoptCluster',
  args: '[cluster]',
  summary: 'Find a cluster that exists, write its cluster file, and take it over when asked',
  examples: [
    'stctl adopt-cluster -f seed.yaml > cluster.yaml         look only: the cluster file to stdout, what differs to stderr',
    'stctl adopt-cluster -f cluster.yaml                     compare the file with the estate; what taking over would do',
    'stctl adopt-cluster -f cluster.yaml --apply             take it over: plan, ask, do',
  ],
  options: (command) => {
    command.option('-f, --file <file.yaml>', 'a seed, or the cluster file that came of one (- is the standard input); left out: what was applied').option('--apply', 'take the cluster over as the file says');
  },
  question: ({ cluster }) => `Adopt cluster "${cluster}" exactly so?`,
  input: ([cluster], { file, apply }, cli) => {
    if (file === undefined) return { cluster, apply };
    const found = readAdoptionFile(cli, file);
    return { cluster: sameCluster(file, ('spec' in found ? found.spec : found.seed).metadata.name, cluster), apply, ...found };
  },
  looksOnly: ({ apply }) => apply !== true,
  show: (cli, request, report) => {
    const found = report.result as Adoption;
    cli.io.err(`\n${adoptionText(found, cli.colors)}\n\n`);
    const { file } = found;
    if (!file) {
      printPlan(cli, { ...request, words: [...request.words.filter((word) => word !== '--apply'), '--apply'] }, report);
      return exit.ok;
    }
    const text = (): string => clusterFileText(found, report);
    cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'Adoption', cluster: report.cluster, ...found }, table: text, name: () => report.cluster });
    cli.say(found.obstacles.length > 0 ? 'Next: cure the obstacles, and look again' : `Next: read the file; then stctl adopt-cluster -f cluster.yaml --apply`);
    return found.obstacles.length > 0 ? exit.refused : exit.ok;
  },
});
