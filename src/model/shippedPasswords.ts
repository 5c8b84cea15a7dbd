/**
 * Administrators that the product is delivered with, and which of them still have the password they came with (reference §15). Nothing tells but a login, and a wrong one
 * counts against the account (reference §16): each is tried once, ever, unless that try worked. Pure.
 */

/** Everybody knows these names; the guide has their passwords changed, and `setup` removed. */
export const shippedAdministrators = ['setup', 'admin', 'account', 'application'] as const;

/** As delivered the password is the name; our facts name no other. */
export const shippedPassword = (account: string): string => account;

export interface ShippedPassword {
  /** Who was asked: a Server for its whole cluster, an Edge for itself. */
  node: string;
  account: string;
  /** `changed`: or removed, or locked. `unknown`: never tried, or a try was cut off before its answer; it is not made again. */
  state: 'works' | 'changed' | 'unknown';
}

/** What a person should know; empty when there is nothing. */
export function shippedLines(found: readonly ShippedPassword[]): string[] {
  const naming = (state: ShippedPassword['state']): string[] => {
    const nodes = [...new Set(found.filter((one) => one.state === state).map(({ node }) => node))];
    return nodes.map((node) => `${node}: ${found.filter((one) => one.state === state && one.node === node).map(({ account }) => `"${account}"`).join(', ')}`);
  };
  return [
    ...naming('works').map((line) => `the shipped password still works for ${line.replace(/^([^:]+): (.*)$/, '$2 at $1')}: change it there now, and remove "setup"`),
    ...naming('unknown').map((line) => `whether the shipped password works is not known for ${line.replace(/^([^:]+): (.*)$/, '$2 at $1')}, and is not tried again: a wrong password counts against the account. Change it there`),
  ];
}
