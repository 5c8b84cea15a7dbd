/** The product version this stand-in plays, and its build. */
export const version = '5.5';
export const build = '5.5-20260625';
