/**
 * Where a lab lives on the machine, and what is written down about it.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkName, type LabPlan } from './plan';

/** Root of the checkout: this file runs from dist/lab. */
export const checkout = path.resolve(__dirname, '../..');

/** Machine-wide: fixed paths for examples, and who has which subnet. Gone with a reboot, as the hosts are. */
export const runFolder = '/run/st-lab';
const indexFolder = path.join(runFolder, '.index');

/** State folder of a lab: `.lab/<name>` of the checkout, or below `ST_LAB_HOME`. */
export function labFolder(name: string): string {
  const parent = process.env['ST_LAB_HOME'] ?? path.join(checkout, '.lab');
  return path.resolve(parent, checkName(name));
}

/** The plan of a lab that was brought up, or undefined. */
export function readPlan(name: string): LabPlan | undefined {
  const file = path.join(labFolder(name), 'lab.json');
  if (!fs.existsSync(file)) return undefined;
  return JSON.parse(fs.readFileSync(file, 'utf8')) as LabPlan;
}

/** The plan of a lab that must be there. */
export function requirePlan(name: string): LabPlan {
  const plan = readPlan(name);
  if (plan === undefined) throw new Error(`no lab "${name}" here (${labFolder(name)}); bring it up with: scripts/lab up --name ${name}`);
  return plan;
}

export function writePlan(plan: LabPlan): void {
  fs.writeFileSync(path.join(labFolder(plan.name), 'lab.json'), JSON.stringify(plan, null, 1));
}

/** Folder with what belongs to one host: its homes, product tree, process ids, log. */
export const hostFolder = (lab: string, host: string): string => path.join(labFolder(lab), 'hosts', host);

/** The fixed path of a lab, `/run/st-lab/<name>`. */
export const fixedPath = (name: string): string => path.join(runFolder, name);

/** The folder that the fixed path of this name leads to, or undefined. */
export function fixedTarget(name: string): string | undefined {
  try {
    return fs.readlinkSync(fixedPath(name));
  } catch {
    return undefined;
  }
}

/** Points the fixed path at this lab's folder. */
export function publish(name: string): void {
  fs.mkdirSync(runFolder, { recursive: true, mode: 0o755 });
  withdraw(name);
  fs.symlinkSync(labFolder(name), fixedPath(name));
}

export function withdraw(name: string): void {
  fs.rmSync(fixedPath(name), { force: true });
}

/** Takes the lowest free index; a symlink that exists is taken, so two labs that start at once can't share one. */
export function takeIndex(name: string): number {
  fs.mkdirSync(indexFolder, { recursive: true, mode: 0o755 });
  for (let index = 0; index < 250; index++) {
    try {
      fs.symlinkSync(name, path.join(indexFolder, String(index)));
      return index;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`all 250 subnets are taken, see ${indexFolder}`);
}

/** Indexes that belong to a lab, more than one after a killed `up`. */
export function indexesOf(name: string): number[] {
  if (!fs.existsSync(indexFolder)) return [];
  return fs.readdirSync(indexFolder).filter((i) => fs.readlinkSync(path.join(indexFolder, i)) === name).map(Number);
}

export function freeIndex(index: number): void {
  fs.rmSync(path.join(indexFolder, String(index)), { force: true });
}

/** Gives files that a worker reads to the person who called sudo; they stay with root when nobody did. */
export function giveToCaller(...files: string[]): void {
  const uid = Number(process.env['SUDO_UID'] ?? 0);
  const gid = Number(process.env['SUDO_GID'] ?? 0);
  for (const file of files) fs.chownSync(file, uid, gid);
}
