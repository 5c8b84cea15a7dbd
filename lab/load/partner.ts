/**
 * One partner: logs in by SFTP, sends small files, logs in again when the session breaks.
 */
import { Client, type SFTPWrapper } from 'ssh2';
import { uploadFolder } from './ledger';

export interface Door {
  host: string;
  port: number;
  username: string;
  password: string;
}

/** Milliseconds after which a partner gives up on an answer. */
const patience = 10_000;

export interface Partner {
  /** Resolves when the server has acknowledged the file; rejects when it did not, and then the file's fate is unknown. */
  send(name: string, content: Buffer): Promise<void>;
  hangUp(): void;
}

/** Connects at the first file, and at the first after a failure. */
export function makePartner(door: Door): Partner {
  let open: { client: Client; sftp: SFTPWrapper } | undefined;
  /** The connection of the moment, also while it is being made. */
  let current: Client | undefined;
  /** Told when the session ends while a file is under way. */
  let closed: () => void = () => undefined;

  const hangUp = (): void => {
    open = undefined;
    current?.destroy();
    closed();
  };
  const connect = async (): Promise<SFTPWrapper> => {
    if (open) return open.sftp;
    const client = new Client();
    current = client;
    try {
      const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
        client.on('error', reject);
        client.on('close', () => {
          if (open?.client === client) {
            open = undefined;
            closed();
          }
          reject(new Error('the connection was closed'));
        });
        client.on('ready', () => client.sftp((error, made) => (error ? reject(error) : resolve(made))));
        client.connect({ ...door, readyTimeout: patience, keepaliveInterval: 2000, keepaliveCountMax: 3 });
      });
      open = { client, sftp };
      return sftp;
    } catch (error) {
      client.destroy();
      throw error;
    }
  };

  return {
    async send(name, content) {
      const sftp = await connect();
      try {
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
          const end = (error?: Error | null): void => {
            clearTimeout(timer);
            if (error) reject(error);
            else resolve();
          };
          closed = () => end(new Error('the connection was closed'));
          sftp.writeFile(`${uploadFolder}/${name}`, content, (error) => end(error as Error | null | undefined));
        });
      } catch (error) {
        hangUp();
        throw error;
      }
    },
    hangUp,
  };
}
