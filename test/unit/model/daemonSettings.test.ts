import { daemonSettings, settingsText, settingsToRestore } from '../../../src/model/daemonSettings';

const options = (port: string) => [
  { name: 'Sshd.Port', values: [port], scope: 'shared', defaultValues: [''] },
  { name: 'Sshd.GracefulShutdownTimeout', values: ['60'], scope: 'shared', defaultValues: ['86400'] },
  { name: 'Ssh.KeyAlias', values: ['mine'], scope: 'shared', defaultValues: ['sshd'] },
  { name: 'Http.Port', values: ['8443'], scope: 'local', defaultValues: ['8443'] },
];

test('the settings of the daemons are the shared options by which they listen', () => {
  expect(daemonSettings(options('8022'))).toEqual({ 'Sshd.Port': ['8022'], 'Ssh.KeyAlias': ['mine'] });
});

test.each<[string, string, Record<string, string[]>, boolean, Record<string, string[]>]>([
  ['what is as before stays', '8022', { 'Sshd.Port': ['8022'], 'Ssh.KeyAlias': ['mine'] }, false, {}],
  ['what was changed is put back', '22', { 'Sshd.Port': ['8022'], 'Ssh.KeyAlias': ['mine'] }, false, { 'Sshd.Port': ['8022'] }],
  ['what was not read is left alone', '22', {}, false, {}],
  ['of a new cluster: as the product ships it, unless the cluster file says otherwise', '22', { 'Ssh.KeyAlias': ['mine'] }, true, { 'Sshd.Port': [''] }],
])('%s', (_, port, wanted, defaults, restored) => expect(settingsToRestore(options(port), wanted, { defaults })).toEqual(restored));

test('a setting that was put back is told with both values', () => {
  expect(settingsText(options('22'), { 'Sshd.Port': [''] })).toBe('Sshd.Port: 22 → empty');
});
