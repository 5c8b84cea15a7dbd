import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import fc from 'fast-check';
import { errorCodes, nonRetryable, StError, type ErrorCode } from '../../../src/model/errors';
import { oneLine, sortError, toFailure } from '../../../src/worker/failures';

const coded = (code: string, message = 'it failed', more: object = {}): Error => Object.assign(new Error(message), { code, ...more });

describe('sorting failures', () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])('gives %s its own code as type, and retries it unless no retry can cure it', (code) => {
    const failure = toFailure(new StError(code, 'st2: what, where and what to do')) as ApplicationFailure;
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: code, nonRetryable: nonRetryable.has(code), message: 'st2: what, where and what to do', stack: '', cause: undefined });
  });

  it.each(['ECONNREFUSED', 'ETIMEDOUT', 'ECONNRESET', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])('takes %s for a target that may answer later', (code) => {
    expect(sortError(coded(code, 'connect 10.86.0.11:8444'))).toEqual({ type: 'Unreachable', nonRetryable: false, message: 'connect 10.86.0.11:8444' });
  });

  it.each(['08006', '08001', '57P01', '57P03', '53300'])('takes SQLSTATE %s for a database that may answer later', (state) => {
    expect(sortError(coded(state, 'terminating connection', { severity: 'FATAL' }))).toMatchObject({ type: 'Unreachable', nonRetryable: false });
  });

  it.each([['28P01', 'AuthenticationFailed'], ['28000', 'AuthenticationFailed'], ['42501', 'PermissionDenied']])('never retries SQLSTATE %s: it is %s', (state, type) => {
    expect(sortError(coded(state, 'no', { severity: 'FATAL' }))).toMatchObject({ type, nonRetryable: true });
  });

  it('never retries a certificate that can not be verified', () => {
    expect(sortError(coded('SELF_SIGNED_CERT_IN_CHAIN'))).toMatchObject({ type: 'TlsRejected', nonRetryable: true });
  });

  it('finds the reason below "fetch failed" and among several addresses', () => {
    expect(sortError(new TypeError('fetch failed', { cause: coded('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:8444') })))
      .toEqual({ type: 'Unreachable', nonRetryable: false, message: 'fetch failed: connect ECONNREFUSED 10.0.0.1:8444' });
    expect(sortError(new AggregateError([coded('ETIMEDOUT', 'v6 timed out'), coded('ECONNREFUSED', 'v4 refused')]))).toMatchObject({ type: 'Unreachable', message: 'v6 timed out: v4 refused' });
  });

  it('does not let the cause of our own error overrule it', () => {
    expect(sortError(new StError('AuthenticationFailed', 'refused', { cause: coded('ECONNRESET') }))).toEqual({ type: 'AuthenticationFailed', nonRetryable: true, message: 'refused' });
  });

  it('retries what nobody foresaw under its own name', () => {
    expect(sortError(new RangeError('out of range'))).toEqual({ type: 'RangeError', nonRetryable: false, message: 'out of range' });
    expect(sortError(coded('EBUSY', 'busy'))).toMatchObject({ type: 'Error', nonRetryable: false });
    expect(sortError('a text')).toMatchObject({ type: 'Error', message: 'a text' });
    expect(sortError(undefined)).toMatchObject({ type: 'Error', nonRetryable: false });
  });

  it('leaves a cancellation as it is', () => {
    const cancelled = new CancelledFailure('CANCELLED');
    expect(toFailure(cancelled)).toBe(cancelled);
  });

  it("keeps the verdict and the details of an activity's own ApplicationFailure, without stack and cause", () => {
    const given = ApplicationFailure.create({ type: 'Refused', message: 'no', nonRetryable: true, details: [{ node: 'st1' }], cause: new Error('inner secret') });
    expect(toFailure(given)).toMatchObject({ type: 'Refused', message: 'no', nonRetryable: true, details: [{ node: 'st1' }], stack: '', cause: undefined });
  });

  it('takes secrets out before it cuts, so that no half of one remains', () => {
    const secret = 'correct-horse-battery';
    const failure = toFailure(new Error(`${'x'.repeat(1_975)} ${secret}`), (text) => text.replaceAll(secret, '***'));
    expect(failure.message).not.toContain('correct');
    expect(failure.message.endsWith('***')).toBe(true);
  });
});

describe('a message', () => {
  it('is one line of at most 2 KB, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000, size: 'max' }), (text) => {
        const line = oneLine(text);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(2_000);
        expect(line).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it('stays readable when it had several lines, and says when it was cut', () => {
    expect(oneLine('first\n  second\r\n\nthird\n')).toBe('first | second | third');
    expect(oneLine(`st2: ${'é'.repeat(3_000)}: No space left on device (tried 4 times in 12 s)`)).toMatch(/^st2: é+ … é+: No space left on device \(tried 4 times in 12 s\)$/);
  });
});
