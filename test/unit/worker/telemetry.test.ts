import { rememberSecret, scrub } from '../../../src/clients/scrub';
import { resolveSecret } from '../../../src/clients/secrets';
import { createLogger, temporalLogger } from '../../../src/worker/telemetry';

function logged(level: 'info' | 'debug' = 'info') {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line) => void lines.push(line) });
  return { logger, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log', () => {
  it('is one JSON object a line, with the level in words and the time in ISO form', () => {
    const { logger, entries } = logged();
    temporalLogger(logger).warn('it happened', { activityId: 'stop/st2' });
    expect(entries()).toEqual([{ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), activityId: 'stop/st2', msg: 'it happened' }]);
  });

  it('names cluster and operation of everything that a workflow says', () => {
    const { logger, entries } = logged();
    temporalLogger(logger).info('step done', { workflowId: 'add-node/demo/st4', taskToken: 'AAAA' });
    temporalLogger(logger).info('step done', { workflowId: 'add-node/demo/st4', cluster: 'from-the-authority' });
    expect(entries()).toMatchObject([{ cluster: 'demo', operation: 'add-node/demo/st4' }, { cluster: 'from-the-authority' }]);
    expect(entries()[0]).not.toHaveProperty('taskToken');
  });

  it('holds back what is below its level', () => {
    const { logger, lines } = logged();
    temporalLogger(logger).debug('detail');
    expect(lines).toEqual([]);
  });

  it('says a failed attempt once: the SDK repeats what the interceptor has written', () => {
    const { logger, lines } = logged();
    temporalLogger(logger).warn('Activity failed', { sdkComponent: 'worker' });
    expect(lines).toEqual([]);
  });

  it("does not fill with one line for each of a poller's tries while the server is away", () => {
    const { logger, lines } = logged();
    const sdk = temporalLogger(logger);
    for (let i = 0; i < 20; i++) sdk.warn(`gRPC call poll_activity_task_queue retried ${i} times`, { target: 'temporalio_client::retry' });
    expect(lines).toHaveLength(1);
  });

  it('masks fields that are named like secrets, and resolved secrets wherever they stand', async () => {
    process.env.ST_TEST_SECRET = 'tr0ub4dor "quoted" \\ &3';
    await resolveSecret('env:ST_TEST_SECRET');
    const { logger, lines, entries } = logged();
    logger.info({ admin: { user: 'admin', password: 'unknown-to-us' }, error: new Error(`refused: ${process.env.ST_TEST_SECRET}`) }, process.env.ST_TEST_SECRET);
    expect(lines.join()).not.toMatch(/unknown-to-us|tr0ub4dor/);
    expect(entries()).toMatchObject([{ admin: { user: 'admin', password: '***' }, msg: '***' }]);
  });
});

describe('scrubbing', () => {
  it('finds a secret as URLs, JSON and basic authentication write it', () => {
    rememberSecret('p@ss/wörd"1');
    for (const form of ['p@ss/wörd"1', encodeURIComponent('p@ss/wörd"1'), JSON.stringify('p@ss/wörd"1'), Buffer.from('p@ss/wörd"1').toString('base64')]) {
      expect(scrub(`before ${form} after`)).toMatch(/^before "?\*\*\*"? after$/);
    }
  });

  it('finds every line of a private key, but not its frame', () => {
    rememberSecret('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\nAAAAEbm9uZQAAAAAAAAABAAAAMwAA\n-----END OPENSSH PRIVATE KEY-----\n');
    expect(scrub('line AAAAEbm9uZQAAAAAAAAABAAAAMwAA of -----BEGIN OPENSSH PRIVATE KEY-----')).toBe('line *** of -----BEGIN OPENSSH PRIVATE KEY-----');
  });

  it('replaces the longest of two secrets that begin alike', () => {
    rememberSecret('abcdefgh');
    rememberSecret('abcdefgh-and-more');
    expect(scrub('abcdefgh-and-more abcdefgh')).toBe('*** ***');
  });

  it('leaves words alone that are too short to be secrets', () => {
    rememberSecret('admin');
    expect(scrub('the admin service of st1')).toBe('the admin service of st1');
  });
});
