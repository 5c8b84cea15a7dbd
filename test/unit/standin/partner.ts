import { Client, type SFTPWrapper } from 'ssh2';
import { ports, type Server } from './estate';

/** A partner's SFTP session; end it with `client.end()`. */
export interface Partner {
  client: Client;
  sftp: SFTPWrapper;
  /** Resolves when the server has acknowledged the file. */
  put(path: string, content: string | Buffer): Promise<void>;
}

export function connectClient(server: Server, username: string, password: string): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on('ready', () => resolve(client)).on('error', reject);
    client.connect({ host: server.address, port: ports.ssh, username, password });
  });
}

export const sftpOf = (client: Client) => new Promise<SFTPWrapper>((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));

export async function connectPartner(server: Server, username: string, password: string): Promise<Partner> {
  const client = await connectClient(server, username, password);
  const sftp = await sftpOf(client);
  return {
    client,
    sftp,
    put: (path, content) => new Promise((resolve, reject) => sftp.writeFile(path, content, (error) => (error ? reject(error as Error) : resolve()))),
  };
}
