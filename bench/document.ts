/** docs/benchmarks.md: one section a measurement, replaced as a whole when it is taken again. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

export interface Section {
  title: string;
  command: string;
  date: Date;
  machine: string;
  body: string;
}

const head = `# Benchmarks

Taken on the practice estate (lab/README.md) with the development server on its production settings. Each section names the command that takes it again.
`;

/** Cores and memory; nothing else of a machine belongs into the repository. */
export const machineSize = (): string => `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB of memory`;

/** The document with this section new or replaced; the others stay as they are. */
export function withSection(document: string, { title, command, date, machine, body }: Section): string {
  const section = `## ${title}\n\n\`${command}\`, ${date.toISOString().slice(0, 10)}, ${machine}.\n\n${body.trim()}\n`;
  const parts = (document.trim() === '' ? head : document).split(/^(?=## )/m);
  const at = parts.findIndex((part) => part.startsWith(`## ${title}\n`));
  if (at < 0) parts.push(section);
  else parts[at] = section;
  return `${parts.map((part) => part.trim()).join('\n\n')}\n`;
}

export function writeSection(file: string, section: Section): void {
  writeFileSync(file, withSection(existsSync(file) ? readFileSync(file, 'utf8') : '', section));
}
