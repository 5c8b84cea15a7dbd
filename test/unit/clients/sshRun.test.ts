/** Whose "no" it was: of the command, which may be an answer, or of sudo, which never is. */
import { judge } from '../../../src/clients/sshRun';

const ended = (code: number, stderr: string) => ({ code, stdout: '', stderr, lost: false, timedOut: false, truncated: false });
const judged = (code: number, stderr: string, ok?: number[]) => judge('ops@st1', 'cat x', ended(code, stderr) as never, { timeoutMs: 1_000, ...(ok ? { ok } : {}) });

test.each([
  ['no password was given', 'sudo: a password is required'],
  ['the rule is another', 'Sorry, user ops is not allowed to execute \'/usr/bin/cat x\' as axway on st1.'],
  ['its words are of another language', 'sudo: Ein Passwort ist notwendig'],
  ['the user is not there', 'sudo: unknown user axway'],
])('sudo\'s refusal is PermissionDenied, also where the caller takes exit code 1 for an answer: %s', (_, stderr) => {
  for (const ok of [undefined, [0, 1]]) expect(() => judged(1, `${stderr}\n`, ok)).toThrow(expect.objectContaining({ code: 'PermissionDenied', message: expect.stringContaining(stderr) }));
});

test('a command that says no is an answer, whatever sudo warns of', () => {
  const stderr = 'sudo: unable to resolve host st1: Name or service not known\ncat: x: No such file or directory\n';
  expect(judged(1, stderr, [0, 1])).toMatchObject({ code: 1, stderr });
  expect(() => judged(1, stderr)).toThrow(expect.objectContaining({ code: 'RemoteCommandFailed' }));
  expect(() => judged(1, 'sudo: /opt/x/stop_tm: command not found\n')).toThrow(expect.objectContaining({ code: 'RemoteCommandFailed' }));
});

test('what a program said is not buried in the folder that all programs stand in', () => {
  expect(() => judged(1, '/usr/bin/tee: /opt/axway/conf/a.xml: No space left on device\n')).toThrow('ops@st1: cat x ended with exit code 1. It wrote: tee: /opt/axway/conf/a.xml: No space left on device');
});
