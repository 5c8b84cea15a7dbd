import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionConfig } from '../../../src/control/connectionConfig';
import { workerConfig } from '../../../src/worker/config';

/** No file of the person who runs the tests may take part. */
const nowhere = { TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

describe('the settings of the worker', () => {
  it('have a default for everything', () => {
    const config = workerConfig(nowhere);
    expect(config).toMatchObject({
      logLevel: 'info', taskQueue: 'st-orchestrator', maxActivities: 100, shutdownGraceMs: 10_000, shutdownForceMs: 20_000,
      namespace: 'default', connectionOptions: { address: 'localhost:7233' },
    });
    expect(config.metricsAddress).toBeUndefined();
    expect(config.maxCachedWorkflows).toBeUndefined();
    expect(config.encryption).toBeUndefined();
    expect(config.identity).toMatch(/^st-orchestrator@.+:\d+$/);
  });

  it('are read from the environment', () => {
    const config = workerConfig({
      ...nowhere, ST_LOG_LEVEL: 'debug', ST_TASK_QUEUE: 'st-site-dr', ST_METRICS_ADDRESS: '[::1]:9464', ST_MAX_ACTIVITIES: '20', ST_MAX_CACHED_WORKFLOWS: '0',
      ST_SHUTDOWN_GRACE: '500ms', ST_SHUTDOWN_FORCE: '1.5m', ST_IDENTITY: 'worker-a', ST_ENCRYPTION_KEY: 'file:/etc/st/key', ST_ENCRYPTION_OLD_KEYS: 'env:OLD_KEY, command:pass show st',
      TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'operations',
    });
    expect(config).toMatchObject({
      logLevel: 'debug', taskQueue: 'st-site-dr', metricsAddress: '[::1]:9464', maxActivities: 20, maxCachedWorkflows: 0, shutdownGraceMs: 500, shutdownForceMs: 90_000,
      identity: 'worker-a', encryption: { key: 'file:/etc/st/key', oldKeys: ['env:OLD_KEY', 'command:pass show st'] },
      namespace: 'operations', connectionOptions: { address: 'temporal.example:7233' },
    });
  });

  it('treat a variable that is set but empty as not set', () => {
    expect(workerConfig({ ...nowhere, ST_LOG_LEVEL: '', ST_METRICS_ADDRESS: ' ', ST_MAX_ACTIVITIES: '', ST_ENCRYPTION_KEY: '' })).toMatchObject({ logLevel: 'info', maxActivities: 100 });
  });

  it('tell every problem at once, each with the variable and what was expected', () => {
    const message = messageOf(() => workerConfig({
      ...nowhere, ST_LOG_LEVEL: 'loud', ST_TASK_QUEUE: 'a b', ST_METRICS_ADDRESS: '9464', ST_MAX_ACTIVITIES: '0', ST_SHUTDOWN_GRACE: '10', ST_ENCRYPTION_KEY: 'deadbeefdeadbeef',
      ST_ENCRYPTION_OLD_KEYS: 'env:GOOD,cafebabe', TEMPORAL_PROFILE: 'nosuch',
    }));
    expect(message.split('\n')).toEqual([
      'ST_LOG_LEVEL must be one of trace, debug, info, warn, error, not "loud"',
      'ST_TASK_QUEUE must be letters, digits, dots, dashes and underscores, not "a b"',
      'ST_METRICS_ADDRESS must be host:port, such as 127.0.0.1:9464, not "9464"',
      'ST_MAX_ACTIVITIES must be a whole number from 1 to 10000, not "0"',
      'ST_SHUTDOWN_GRACE must be a duration such as 500ms, 10s or 2m, not "10"',
      expect.stringMatching(/^ST_ENCRYPTION_KEY must be a reference, env:NAME, file:/),
      expect.stringMatching(/^ST_ENCRYPTION_OLD_KEYS: entry 2 must be a reference/),
      expect.stringMatching(/^The Temporal profile "nosuch" can't be used: /),
    ]);
    // A key put where its reference belongs must not be printed.
    expect(message).not.toMatch(/deadbeef|cafebabe/);
  });

  it('refuse a forced end before the grace is over, and old keys without a new one', () => {
    const message = messageOf(() => workerConfig({ ...nowhere, ST_SHUTDOWN_GRACE: '30s', ST_ENCRYPTION_OLD_KEYS: 'env:OLD' }));
    expect(message).toContain('ST_SHUTDOWN_FORCE must not be shorter than ST_SHUTDOWN_GRACE');
    expect(message).toContain('ST_ENCRYPTION_OLD_KEYS is set without ST_ENCRYPTION_KEY');
  });
});

describe('the connection', () => {
  const folder = mkdtempSync(join(tmpdir(), 'st-config-'));
  const file = join(folder, 'temporal.toml');
  writeFileSync(file, '[profile.default]\naddress = "by-profile:7233"\nnamespace = "by-profile"\n[profile.cloud]\naddress = "cloud:7233"\napi_key = "k"\n');
  afterAll(() => rmSync(folder, { recursive: true }));

  it("comes from the temporal CLI's profiles, and the environment wins", () => {
    expect(connectionConfig({ TEMPORAL_CONFIG_FILE: file })).toMatchObject({ namespace: 'by-profile', connectionOptions: { address: 'by-profile:7233' } });
    expect(connectionConfig({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_ADDRESS: 'by-variable:7233' })).toMatchObject({ namespace: 'by-profile', connectionOptions: { address: 'by-variable:7233' } });
    expect(connectionConfig({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'cloud' })).toMatchObject({ namespace: 'default', connectionOptions: { address: 'cloud:7233', apiKey: 'k', tls: true } });
  });

  it('names the profile that does not exist', () => {
    expect(messageOf(() => connectionConfig({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'clout' }))).toContain('"clout"');
  });
});
