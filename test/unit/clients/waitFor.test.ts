import { pauseAfter, waitFor } from '../../../src/clients/waitFor';
import { within } from '../../../src/clients/within';
import { StError } from '../../../src/model/errors';

describe('waitFor', () => {
  test('answers the state that was asked for, through errors that may pass', async () => {
    let looks = 0;
    const read = async (): Promise<number> => {
      looks += 1;
      if (looks === 2) throw new StError('Unreachable', 'restarting');
      return looks;
    };
    await expect(waitFor('it counts to 4', read, (count) => count === 4, { timeoutMs: 5000, intervalMs: 1 })).resolves.toBe(4);
  });

  test('tells what was asked for and the last state or error when time is over', async () => {
    await expect(waitFor('st2 is Online', async () => ({ status: 'Offline' }), () => false, { timeoutMs: 30, intervalMs: 5 }))
      .rejects.toMatchObject({ code: 'NotYet', message: 'st2 is Online: not reached within 30 ms; last seen: {"status":"Offline"}' });
    await expect(waitFor('it answers', () => Promise.reject(new StError('Unreachable', 'st2: refused')), () => true, { timeoutMs: 30, intervalMs: 5 }))
      .rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('last error: st2: refused') });
  });

  test('looks at least once, also without any time', async () => {
    await expect(waitFor('now', async () => 1, () => true, { timeoutMs: 0 })).resolves.toBe(1);
  });

  test('an error that no retry cures, and a defect, end the wait at once', async () => {
    for (const error of [new StError('AuthenticationFailed', 'no'), new TypeError('defect')]) {
      let looks = 0;
      await expect(waitFor('x', async () => { looks += 1; throw error; }, () => true, { timeoutMs: 5000 })).rejects.toBe(error);
      expect(looks).toBe(1);
    }
  });

  test.each([[0, 50], [1_000, 50], [3_000, 90], [20_000, 600], [300_000, 1_000]])('after %i ms of waiting it pauses %i ms', (elapsed, pause) => {
    expect(pauseAfter(elapsed)).toBeCloseTo(pause);
  });

  test('an abort ends the pause between looks with its reason', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('cancelled')), 20);
    await expect(waitFor('x', async () => 1, () => false, { timeoutMs: 60_000, intervalMs: 60_000, signal: abort.signal })).rejects.toThrow('cancelled');
  });
});

describe('within', () => {
  const tooLate = (): Error => new Error('too late');

  test('what comes in time is answered, its failure too', async () => {
    await expect(within(Promise.resolve(1), { timeoutMs: 1000 }, tooLate)).resolves.toBe(1);
    await expect(within(Promise.reject(new Error('own')), { timeoutMs: 1000 }, tooLate)).rejects.toThrow('own');
  });

  test('what comes too late goes to the one who puts it away', async () => {
    let resolve!: (value: string) => void;
    const late: string[] = [];
    const promise = new Promise<string>((done) => { resolve = done; });
    await expect(within(promise, { timeoutMs: 5 }, tooLate, (value) => void late.push(value))).rejects.toThrow('too late');
    resolve('connection');
    await promise;
    expect(late).toEqual(['connection']);
  });

  test('a signal that was aborted before counts', async () => {
    await expect(within(Promise.resolve(1), { timeoutMs: 1000, signal: AbortSignal.abort(new Error('stop')) }, tooLate)).rejects.toThrow('stop');
  });
});
