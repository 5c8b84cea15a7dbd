/**
 * The stand-in product on a lab's hosts: its package, and where its compiled code and node are found inside a host.
 * The code is a copy made at `up` and `reset`, so that a build that runs meanwhile changes no running lab.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkout, labFolder } from './place';
import type { LabPlan } from './plan';

export interface Code {
  node: string;
  standin: string;
  /** Of the lab's own compiled code. */
  folder: string;
  mounts: { from: string; to: string }[];
}

/**
 * Fixed paths inside every host, whatever the checkout's path and its modes on the machine are. A node below /usr is there
 * already; any other is bound with the folder it was installed to.
 */
export function code(lab: string, node = process.execPath): Code {
  const mounts = [
    { from: path.join(labFolder(lab), 'code'), to: '/opt/st-lab/dist' },
    { from: fs.realpathSync(path.join(checkout, 'node_modules')), to: '/opt/st-lab/node_modules' },
  ];
  const real = fs.realpathSync(node);
  if (real.startsWith('/usr/')) return { node: real, standin: '/opt/st-lab/dist/lab/standin', folder: '/opt/st-lab/dist', mounts };
  mounts.push({ from: path.resolve(real, '../..'), to: '/opt/st-lab/node' });
  return { node: '/opt/st-lab/node/bin/node', standin: '/opt/st-lab/dist/lab/standin', folder: '/opt/st-lab/dist', mounts };
}

/**
 * What is bound into the hosts as it is must be readable by others than its owner, as the product's user is one.
 * @throws Error that names the file and the remedy.
 */
export function checkReadable(node = process.execPath): void {
  const modules = fs.realpathSync(path.join(checkout, 'node_modules'));
  for (const file of [fs.realpathSync(node), modules, path.join(modules, 'pg'), path.join(modules, 'pg/package.json')]) {
    const stat = fs.statSync(file);
    const wanted = stat.isDirectory() || file.endsWith('node') ? 0o005 : 0o004;
    if ((stat.mode & wanted) !== wanted) throw new Error(`${file} is closed to other users, and the product's user in the lab has to read it: chmod -R go+rX '${file.startsWith(modules) ? modules : path.resolve(file, '../..')}'`);
  }
}

function makeReadable(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const mode = fs.statSync(file).mode;
    fs.chmodSync(file, mode | 0o444 | (entry.isDirectory() || (mode & 0o100) !== 0 ? 0o111 : 0));
  }
  fs.chmodSync(folder, 0o755);
}

/** Lays the compiled stand-in and its installer package into the lab's folder, as it is in the checkout now. */
export function layCode(plan: LabPlan): void {
  const folder = labFolder(plan.name);
  const codeFolder = path.join(folder, 'code');
  fs.rmSync(codeFolder, { recursive: true, force: true });
  fs.mkdirSync(codeFolder, { recursive: true });
  for (const part of ['lab/standin', 'lab/mail']) {
    const from = path.join(checkout, 'dist', part);
    if (fs.existsSync(from)) fs.cpSync(from, path.join(codeFolder, part), { recursive: true });
  }
  makeReadable(codeFolder);

  const packageFolder = path.join(folder, 'package/SecureTransport_5.5');
  fs.rmSync(packageFolder, { recursive: true, force: true });
  fs.mkdirSync(packageFolder, { recursive: true });
  fs.cpSync(path.join(checkout, 'lab/standin/package'), packageFolder, { recursive: true });
  const { node, standin } = code(plan.name);
  fs.writeFileSync(path.join(packageFolder, 'standin.env'), [
    `NODE=${node}`,
    `STANDIN=${standin}`,
    `PRODUCT_TIME_MS=${plan.options.productTimeMs}`,
    `LIES=${plan.options.lies}`,
    `SEED=${plan.options.seed}`,
    '',
  ].join('\n'));
  makeReadable(path.join(folder, 'package'));
}
