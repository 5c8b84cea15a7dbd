/**
 * The shared options by which the daemons of a cluster listen. Adding a node once reset the SSH port of the cluster to 22 (reference §16): they are read
 * before and compared after. Pure.
 */

export interface SettingFound {
  name: string;
  values: string[];
  scope?: unknown;
  defaultValues?: unknown;
}

/** Where a daemon listens, whether it does, and with which key or certificate: what a partner would notice at once. */
const listening = /^(ftp|http|as2|ssh|pesit)s?d?\..*(port|enabled?|alias|address)/i;

export const isDaemonSetting = ({ name, scope }: Pick<SettingFound, 'name' | 'scope'>): boolean => scope !== 'local' && listening.test(name);

export const daemonSettings = (options: readonly SettingFound[]): Record<string, string[]> =>
  Object.fromEntries(options.filter(isDaemonSetting).map(({ name, values }) => [name, values]));

/** Of these settings, those that are otherwise now, with the values to put back. `defaults`: what is not named is to be as the product ships it. */
export function settingsToRestore(options: readonly SettingFound[], wanted: Record<string, string[]>, { defaults }: { defaults: boolean }): Record<string, string[]> {
  return Object.fromEntries(options.filter(isDaemonSetting).flatMap(({ name, values, defaultValues }) => {
    const shipped = defaults && Array.isArray(defaultValues) ? (defaultValues as string[]) : undefined;
    const value = wanted[name] ?? shipped;
    return value === undefined || JSON.stringify(value) === JSON.stringify(values) ? [] : [[name, value]];
  }));
}

/** `Sshd.Port: 22 → 8022`. */
export const settingsText = (now: readonly SettingFound[], restored: Record<string, string[]>): string =>
  Object.entries(restored).map(([name, values]) => `${name}: ${said(now.find((one) => one.name === name)?.values)} → ${said(values)}`).join('; ');

const said = (values: readonly string[] | undefined): string => (values === undefined || values.join('') === '' ? 'empty' : values.join(', '));
