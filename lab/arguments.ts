/**
 * Values of command-line options. Each throws what commander prints beside the option's name.
 */
import { InvalidArgumentError } from 'commander';
import { lieNames } from './standin/lies';

/** A whole number from 0. */
export function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

/** A duration with its unit, in milliseconds. */
export function milliseconds(text: string): number {
  const match = /^(\d+)(ms|s)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected a duration such as 300ms or 2s');
  return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}

/** The same, minutes too. */
export function duration(text: string): number {
  const match = /^(\d+)m$/.exec(text);
  return match === null ? milliseconds(text) : Number(match[1]) * 60_000;
}

/** A number above 0. */
export function positive(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('expected a number above 0');
  return Number(text);
}

/** Names of the product's half-truths, separated by commas. */
export function lies(text: string): string {
  const unknown = text.split(',').filter((name) => !lieNames.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`unknown: ${unknown.join(', ')}; known are ${lieNames.join(', ')}`);
  return text;
}

/** A share in percent, `10%`. */
export function percent(text: string): number {
  const match = /^(\d{1,3})%$/.exec(text);
  if (match === null || Number(match[1]) > 100) throw new InvalidArgumentError('expected a share such as 10%');
  return Number(match[1]);
}

/** One more `name=value`, added to those given before. */
export function setting(text: string, earlier: Record<string, string>): Record<string, string> {
  const match = /^([a-z_.]+)=(.*)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected name=value');
  return { ...earlier, [match[1] as string]: match[2] as string };
}
