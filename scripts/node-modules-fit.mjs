// Exit code 0 when node_modules holds exactly what package-lock.json asks for: compared by content, since times say nothing after a checkout.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..');

/** The packages of a lock file without the project itself, or nothing when there is no such file. */
function packages(file) {
  try {
    const { '': _project, ...rest } = JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
    return rest;
  } catch {
    return undefined;
  }
}

const wanted = packages('package-lock.json');
const installed = packages('node_modules/.package-lock.json');
const fits =
  wanted !== undefined &&
  installed !== undefined &&
  Object.entries(wanted).every(([path, entry]) => (installed[path] ? installed[path].version === entry.version : entry.optional === true || entry.peer === true)) &&
  Object.keys(installed).every((path) => path in wanted);
process.exit(fits ? 0 : 1);
