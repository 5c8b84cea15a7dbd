/** Waits that somebody may end early. A ring that nobody waits for is lost: look first, then wait. */
export interface Bell {
  ring(): void;
  /** Until somebody rings, or the time (milliseconds) is over. */
  wait(timeoutMs: number): Promise<void>;
}

export function createBell(): Bell {
  let wake: () => void = () => undefined;
  return {
    ring: () => wake(),
    wait: (timeoutMs) => new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, timeoutMs));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }),
  };
}
