/** What discovery found, as people read it. Pure. */
import type { Colors } from 'picocolors/types';
import { stringify } from 'yaml';
import type { Adoption } from '../model/adoption';
import type { OperationReport, Problem } from '../model/operation';
import { count, oneLine } from './output';

const listed = (problems: readonly Problem[]): string[] => problems.flatMap(({ what, remedy }) => [`  - ${oneLine(what)}`, ...(remedy ? [`    ${oneLine(remedy)}`] : [])]);

export function adoptionText({ differences, left, notes, obstacles }: Adoption, colors: Colors): string {
  const lines = differences.map(({ about, values }) => `  - ${oneLine(about)}: ${values.map(({ value, nodes }) => `${nodes.join(', ')}: ${oneLine(value)}`).join(' | ')}`);
  return [
    differences.length === 0 ? 'The Servers do not differ in anything that was compared.' : `${count(differences.length + left, 'difference')} between the Servers:`,
    ...lines,
    ...(left > 0 ? [`  and ${left} more`] : []),
    ...(notes.length > 0 ? ['', 'To know:', ...listed(notes)] : []),
    ...(obstacles.length > 0 ? ['', colors.red('In the way of an adoption:'), ...listed(obstacles)] : []),
    '',
    'Nothing was changed.',
  ].join('\n');
}

/** The cluster file with where it comes from at its head. */
export function clusterFileText({ file, obstacles }: Adoption, { cluster, endedAt, workflowId }: OperationReport): string {
  const head = [
    `# Cluster "${cluster}" as it was found${endedAt ? ` at ${endedAt}` : ''} (${workflowId}). Read it, and correct what is not meant so.`,
    '#   stctl adopt-cluster -f cluster.yaml           compares it with the estate',
    '#   stctl adopt-cluster -f cluster.yaml --apply   takes the cluster over',
    ...obstacles.map(({ what }) => `# IN THE WAY: ${oneLine(what)}`),
  ];
  return `${head.join('\n')}\n${stringify(file, { lineWidth: 140, aliasDuplicateObjects: false })}`;
}
