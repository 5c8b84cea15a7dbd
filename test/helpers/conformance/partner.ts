/** An account of the tests' own, and its SFTP client: one known account per probe, never a guessed one (§11.1). */
import { Client, type SFTPWrapper } from 'ssh2';
import { until } from '../../../lab/shell';
import { callAt, basic } from './caller';
import { unique, type Suite } from './suite';
import type { Target } from './target';

export interface Partner {
  name: string;
  /** An open session on a Server, or the failure of the login. */
  connect(options?: { to?: Target; password?: string }): Promise<Client>;
  /** How a login with a wrong password ends; counts as two failures where the client tries two methods. */
  tryWrong(): Promise<string>;
  /** Ends every session that was opened. */
  leave(): void;
}

export const partnerPassword = 'Conformance-1';

/** Makes the account, which is removed after the test. */
export async function makePartner(suite: Suite, name = unique('partner')): Promise<Partner> {
  suite.undo(`/accounts/${name}`);
  const made = await suite.call('POST', '/accounts', { body: {
    type: 'user', name, homeFolder: `${suite.target().homes}/${name}`, uid: '41733', gid: '41733', user: { name, passwordCredentials: { password: partnerPassword } },
  } });
  if (made.status !== 201) throw new Error(`POST /accounts: ${made.status} ${made.text}`);
  const open: Client[] = [];
  const attempt = async (target: Target, secret: string, tryKeyboard: boolean): Promise<Client> => {
    const { json } = await callAt(target, 'GET', '/servers?protocol=ssh', basic(target));
    const port = json.result[0].port as number;
    return new Promise((resolve, reject) => {
      const client = new Client();
      open.push(client);
      client.on('ready', () => resolve(client)).on('error', reject);
      client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => secret)));
      client.connect({ host: target.address, port, username: name, password: secret, tryKeyboard, readyTimeout: 5000 });
    });
  };
  return {
    name,
    connect: ({ to = suite.target(), password: secret = partnerPassword } = {}) => attempt(to, secret, false),
    tryWrong: () => attempt(suite.target(), 'wrong', true).then(() => 'let in', (error: Error) => error.message),
    leave: () => { for (const client of open.splice(0)) client.end(); },
  };
}

export const sftpOf = (client: Client): Promise<SFTPWrapper> => new Promise((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));

/** Puts a small file; resolves when the Server acknowledged it. */
export async function put(client: Client, path: string, content: string): Promise<void> {
  const sftp = await sftpOf(client);
  await new Promise<void>((resolve, reject) => sftp.writeFile(path, content, (error) => (error ? reject(error) : resolve())));
}

/** The sessions of one account, believed when two reads in a row are equal (§11.1). */
export async function sessionsOf(suite: Suite, account: string): Promise<{ id: string; command: string }[]> {
  let last: string | undefined;
  return until(`two equal reads of the sessions of ${account}`, async () => {
    const found = ((await suite.get('/sessions')) as { id: string; accountName?: string; userName?: string; command: string }[]).filter((one) => (one.accountName ?? one.userName) === account);
    const now = JSON.stringify(found.map(({ id }) => id).sort());
    const equal = now === last;
    last = now;
    return equal && found;
  });
}
