/** Limits on waiting for something that itself goes on. */

export interface Limits {
  /** Milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Waits for `promise` no longer than the limits say. What arrives after that goes to `late`, so that nothing leaks.
 * @throws what `tooLate` makes; `signal.reason` when aborted.
 */
export function within<T>(promise: Promise<T>, limits: Limits, tooLate: () => Error, late: (value: T) => void = () => undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let open = true;
    const settle = (act: () => void): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(limits.signal!.reason as Error));
    const timer = setTimeout(() => settle(() => reject(tooLate())), limits.timeoutMs);
    limits.signal?.addEventListener('abort', onAbort, { once: true });
    if (limits.signal?.aborted) onAbort();
    promise.then(
      (value) => (open ? settle(() => resolve(value)) : late(value)),
      (error: unknown) => settle(() => reject(error as Error)),
    );
  });
}
