/** The gate of a host that must not start the product: what a look at its commands means. Pure. */

export type GateState = 'none' | 'open' | 'closed' | 'broken' | 'unknown';

export interface GateFacts {
  node: string;
  /** `none`: no product stands there. `broken`: closed, and something may be started all the same. `unknown`: the host could not be asked. */
  gate: GateState;
  /** Of a closed one: what it says. Of a broken one: what is wrong. Of an unknown one: why it could not be asked. Else empty. */
  why: string;
  /** Something of the product runs there; null where that is not known. */
  runs: boolean | null;
  /** An operation of this cluster has acted on this host before. */
  ours: boolean;
  /** The highest epoch of this cluster that the host has seen. */
  epoch: number | null;
}

/** What was found in FILEDRIVEHOME/bin: SHA-256 by name. `closed`: the sentence of the gate, where it has one. */
export interface GateLook {
  bin: boolean;
  files: Record<string, string>;
  closed?: string;
}

/** SHA-256 of a gate and of the script that gates call, as this release writes them; and that script's name. */
export interface GateMade {
  gate: string;
  script: string;
  scriptName: string;
}

export function gateState({ bin, files, closed }: GateLook, made: GateMade): { gate: GateState; why: string } {
  const names = Object.keys(files);
  const commands = names.filter((name) => /^start_[^.]+$/.test(name));
  const aside = names.filter((name) => /^start_[^.]+\.gated$/.test(name)).map((name) => name.slice(0, -'.gated'.length));
  if (!bin || (commands.length === 0 && aside.length === 0)) return { gate: 'none', why: '' };
  const gates = commands.filter((name) => files[name] === made.gate);
  if (gates.length === 0 && aside.length === 0 && closed === undefined) return { gate: 'open', why: '' };
  const wrong = [
    ...commands.filter((name) => !gates.includes(name)).map((name) => `${name} is a command again, as after an update of the product`),
    ...gates.filter((name) => !aside.includes(name)).map((name) => `the command behind ${name} is gone`),
    ...aside.filter((name) => !commands.includes(name)).map((name) => `the gate in the place of ${name} is gone`),
    ...(files[made.scriptName] === made.script ? [] : [`bin/${made.scriptName} is missing or not that of this release`]),
    ...(closed === undefined ? ['it has no sentence to say'] : []),
  ];
  return wrong.length === 0 ? { gate: 'closed', why: closed ?? '' } : { gate: 'broken', why: wrong.length > 3 ? `${wrong.slice(0, 3).join('; ')}; and ${wrong.length - 3} more` : wrong.join('; ') };
}
