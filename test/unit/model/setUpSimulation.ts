/** A cluster as the product treats it, reduced to what a set-up changes, with every rule of the vendor's order as an assertion. */
import type { ServerState, SetUpPlan, SetUpState } from '../../../src/model/setUpPlan';

interface Machine {
  installed: boolean;
  licensed: boolean;
  admin: 'off' | 'up' | 'not operational';
  tm: boolean;
  daemons: boolean;
}

export interface Estate {
  machines: Machine[];
  schema: boolean;
  /** Whose installation made the schema: operational without being a member. */
  setUpBy: number | undefined;
  table: number[];
  licensedNodes: number;
  begun: boolean;
  complete: boolean;
  /** When the plan was made no Administration Tool could say who is a member. */
  blind: boolean;
}

export type Act = { step: Exclude<keyof SetUpPlan, 'first'>; on: number; wave?: number[] };

const address = (i: number) => `10.0.0.${i + 1}`;
const name = (i: number) => `st${i + 1}`;
const machine = (): Machine => ({ installed: false, licensed: false, admin: 'off', tm: false, daemons: false });

export const emptyEstate = (servers: number, licensedNodes = servers): Estate => ({
  machines: Array.from({ length: servers }, machine), schema: false, setUpBy: undefined, table: [], licensedNodes, begun: false, complete: false, blind: false,
});

export function grow(estate: Estate, by: number): void {
  estate.machines.push(...Array.from({ length: by }, machine));
  estate.licensedNodes += by;
}

/** What checks would find. `blurred`: a tool that is not operational looks like one that does not run. */
export function observe(estate: Estate, blurred = false): SetUpState {
  const servers = estate.machines.map((found, i): ServerState => {
    const answers = found.installed && found.admin === 'up';
    return {
      node: name(i),
      address: address(i),
      installed: found.installed,
      half: false,
      secretFile: found.installed,
      licensed: found.licensed,
      admin: answers ? 'running' : found.admin === 'not operational' && !blurred ? 'not operational' : 'not running',
      tm: answers && found.tm,
      daemons: answers && found.daemons,
      members: answers ? estate.table.map(address) : null,
    };
  });
  return { servers, schema: estate.schema, licensedNodes: estate.licensedNodes, complete: estate.complete, begun: estate.begun };
}

/** A plan as single acts in their order; `shuffle` gives the order in which the nodes of a fan-out come to their turn. */
export function actsOf(plan: SetUpPlan, shuffle: (nodes: string[]) => string[]): Act[] {
  const order = ['installFirst', 'licenseFirst', 'startFirstAdmin', 'installOthers', 'registered', 'stopAdmin', 'stopServices', 'addToCluster', 'startAdmin', 'licenseOthers', 'stopAll'] as const;
  const index = (node: string) => Number(node.slice(2)) - 1;
  return [
    ...order.flatMap((step) => (step === 'addToCluster' ? plan[step] : shuffle(plan[step])).map((node): Act => ({ step, on: index(node) }))),
    ...plan.restart.flatMap((wave) => shuffle(wave).map((node): Act => ({ step: 'restart', on: index(node), wave: wave.map(index) }))),
  ];
}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`against the vendor's order: ${rule}`);
}

/** Does one act as the product would, or throws when the order of things forbids it. */
export function perform(estate: Estate, { step, on, wave }: Act, first: number, largestWave: number, autoRegister = false): void {
  const it = estate.machines[on]!;
  const isMember = estate.table.includes(on);
  const register = (): void => {
    if (!isMember) estate.table.push(on);
  };
  const tool = () => (estate.setUpBy === on || estate.table.includes(on) ? 'up' : 'not operational');
  estate.begun = true;
  switch (step) {
    case 'installFirst':
      must(estate.machines.every(({ installed }) => !installed) && !estate.schema, 'the first Server makes the schema');
      Object.assign(estate, { schema: true, setUpBy: on });
      if (autoRegister) register();
      Object.assign(it, { installed: true, admin: tool() });
      return;
    case 'installOthers':
      must(!it.installed && estate.schema && estate.machines[first]!.installed && estate.machines[first]!.licensed && estate.machines[first]!.admin === 'up', 'the first Server is installed, licensed and operational before others are installed');
      if (autoRegister) register();
      Object.assign(it, { installed: true, admin: tool() });
      return;
    case 'licenseFirst':
    case 'licenseOthers':
      must(it.installed, 'licences are installed on what is installed');
      it.licensed = true;
      return;
    case 'stopAdmin':
      must(on !== first, 'the Administration Tool of the first Server runs on');
      it.admin = 'off';
      return;
    case 'stopServices':
      must(!isMember || (estate.blind && !estate.complete), 'services of a member are never stopped');
      Object.assign(it, { tm: false, daemons: false });
      return;
    case 'startFirstAdmin':
      it.admin = tool();
      return;
    case 'registered':
      must(isMember, 'who registers itself is in the table');
      return;
    case 'stopAll':
      must(!it.tm, 'no Transaction Manager that runs is stopped for the restart');
      Object.assign(it, { admin: 'off', tm: false, daemons: false });
      return;
    case 'addToCluster':
      must(estate.machines[first]!.admin === 'up' && estate.machines[first]!.licensed, 'nodes are added through a licensed Server whose Administration Tool is operational');
      must(it.installed && (!isMember || estate.blind), 'an address is added once, of an installed Server');
      must(on === first || it.admin === 'off', 'the Administration Tool of a Server to add does not run');
      must(!it.tm && !it.daemons, 'the services of a Server to add do not run');
      must(on === first || estate.table.includes(first), 'the first Server is added first');
      if (!isMember) estate.table.push(on);
      return;
    case 'startAdmin':
      must(isMember, 'no other Server is restarted before it is added');
      it.admin = tool();
      return;
    case 'restart': {
      must(isMember && it.installed && it.licensed, 'nothing is restarted before it is added and licensed');
      must(it.admin !== 'not operational', 'the Administration Tool was restarted after the Server was added');
      const running = estate.machines.flatMap(({ tm }, i) => (tm ? [i] : []));
      must(wave!.length <= largestWave, 'waves are bounded');
      must(wave!.length === 1 || running.length > 0, 'the first Transaction Manager starts alone');
      Object.assign(it, { admin: 'up', tm: true, daemons: true });
      must(estate.machines.filter(({ tm }) => tm).length <= estate.licensedNodes, 'never more Transaction Managers than the licence has nodes');
    }
  }
}

export type Fault = { kind: 'power cut' | 'admin dies' | 'tm dies' | 'daemon dies' | 'boot starts all'; on: number };

/** What happens to machines between two runs. */
export function suffer(estate: Estate, { kind, on }: Fault): void {
  const it = estate.machines[on % estate.machines.length]!;
  if (!it.installed) return;
  const index = estate.machines.indexOf(it);
  const known = estate.setUpBy === index || estate.table.includes(index);
  if (kind === 'power cut') Object.assign(it, { admin: 'off', tm: false, daemons: false });
  if (kind === 'admin dies') it.admin = 'off';
  if (kind === 'tm dies') it.tm = false;
  if (kind === 'daemon dies') it.daemons = false;
  if (kind === 'boot starts all') Object.assign(it, { admin: known ? 'up' : 'not operational', tm: it.tm || (known && it.licensed), daemons: true });
}

export const isOnline = (estate: Estate): boolean => estate.machines.every(({ installed, licensed, admin, tm, daemons }, i) => installed && licensed && admin === 'up' && tm && daemons && estate.table.includes(i));
export { name as nodeName };
