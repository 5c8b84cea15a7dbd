/** The lines of the documents that start an operation from a file of examples/, as somebody copies them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');

export interface DocumentedStart {
  /** Whole, in one line. */
  line: string;
  type: string;
  workflowId: string;
  /** `examples/add-node.json` */
  file: string;
}

export function documentedStarts(): DocumentedStart[] {
  const texts = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].map((name) => readFileSync(join(root, name), 'utf8').replaceAll('\\\n', ' '));
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('temporal workflow start ') && line.includes('--input-file examples/'));
  const option = (line: string, name: string): string => new RegExp(`--${name} (\\S+)`).exec(line)?.[1] ?? '';
  return lines.map((line) => ({ line, type: option(line, 'type'), workflowId: option(line, 'workflow-id'), file: option(line, 'input-file') }));
}
