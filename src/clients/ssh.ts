/**
 * Commands on hosts over SSH. Connections are kept and shared: one login, then channels. Host keys are always verified.
 * Files travel by the standard input and output of commands; there is no SFTP.
 */
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { StError } from '../model/errors';
import type { SshAccess } from '../model/targets';
import { commandLine, type CommandLine } from './quote';
import { createRefusals } from './refusals';
import { connect, credentialName, loginName, type ConnectSettings, type SshLogin } from './sshConnect';
import { execOn, isSessionRefused, type ExecOptions, type ExecResult } from './sshExec';
import { judge, type RunOptions, type RunResult } from './sshRun';
import { openStream, type StreamOpener } from './sshStream';
import { within } from './within';

export type { ExecOptions, ExecResult } from './sshExec';
export type { RunOptions, RunResult } from './sshRun';

/** An argv, or a command line made by `sh` or `script` of quote.ts. */
export type Command = readonly string[] | CommandLine;

export interface SshPoolOptions {
  /** Where `env:` secrets are looked up; the process's environment by default. */
  env?: NodeJS.ProcessEnv;
  /** TCP, handshake and login together, in milliseconds; 10 s by default. */
  connectTimeoutMs?: number;
  /** A host that answers nothing for interval x count is given up; 1 s x 3 by default. */
  keepaliveIntervalMs?: number;
  keepaliveCountMax?: number;
  /** A connection unused for so long is closed, in milliseconds; 5 minutes by default. */
  idleMs?: number;
}

export interface SshPool {
  /**
   * Runs a command and tells how it ended. A lost connection is `lost: true`, a passed limit `timedOut: true`; neither is an exit code.
   * @throws StError Unreachable, AuthenticationFailed, HostKeyMismatch, SecretUnavailable before the command began; `signal.reason` when aborted.
   */
  exec(access: SshAccess, command: Command, options: ExecOptions): Promise<ExecResult>;
  /**
   * Runs a command that must end with exit code 0 (or one of `ok`) and answers its output.
   * @throws StError as `exec`, and RemoteCommandFailed, PermissionDenied (sudo), ConnectionLost, NotYet (time-out), StaleEpoch and ForeignCluster (guard).
   */
  run(access: SshAccess, command: Command, options: RunOptions): Promise<RunResult>;
  /** A stream to a unix socket on that host. @throws StError as `exec`; Unreachable when nothing listens there, PermissionDenied when sshd forbids it. */
  openUnixSocket(access: SshAccess, path: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Duplex>;
  /** Lets refused credentials be tried again: of one access, or of all. */
  forget(access?: SshAccess): void;
  /** Ends every connection; later calls connect anew. */
  close(): Promise<void>;
}

/** Half of sshd's default MaxSessions: it may still count sessions that have just ended. A host that allows fewer teaches us (see `exec`). */
const channelsPerConnection = 5;

interface Connection {
  client: Client;
  channels: number;
  /** Most channels at once. */
  limit: number;
  open: boolean;
  idle?: NodeJS.Timeout;
}

/** Makes the pool that one worker shares. */
export function createSshPool(options: SshPoolOptions = {}): SshPool {
  const refusals = createRefusals();
  const settings: ConnectSettings = {
    env: options.env,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    keepaliveIntervalMs: options.keepaliveIntervalMs ?? 1000,
    keepaliveCountMax: options.keepaliveCountMax ?? 3,
    refusals,
  };
  const idleMs = options.idleMs ?? 5 * 60_000;
  const pools = new Map<string, Set<Connection>>();
  const connecting = new Map<string, Promise<Connection>>();

  /** A connection with a free channel, which is taken for the caller. All who wait for the same login share its one attempt. */
  async function take(access: SshAccess): Promise<Connection> {
    const key = poolKey(access);
    for (;;) {
      const free = [...(pools.get(key) ?? [])].find((one) => one.open && one.channels < one.limit);
      if (free) {
        free.channels += 1;
        clearTimeout(free.idle);
        return free;
      }
      let pending = connecting.get(key);
      if (!pending) {
        pending = establish(key, access).finally(() => connecting.delete(key));
        connecting.set(key, pending);
      }
      const made = await pending;
      if (!made.open) throw new StError('Unreachable', `${loginName(access)}: the host closed the connection right after the login.`);
    }
  }

  async function establish(key: string, access: SshAccess): Promise<Connection> {
    const way = access.jump ? await throughJump(access.jump, access) : undefined;
    const client = await connect(access, settings, way).catch((error: unknown) => {
      way?.destroy();
      throw error;
    });
    const connection: Connection = { client, channels: 0, limit: channelsPerConnection, open: true };
    const pool = pools.get(key) ?? new Set<Connection>();
    pools.set(key, pool.add(connection));
    client.on('close', () => {
      connection.open = false;
      clearTimeout(connection.idle);
      pool.delete(connection);
    });
    return connection;
  }

  function give(connection: Connection): void {
    connection.channels -= 1;
    if (connection.channels > 0 || !connection.open) return;
    connection.idle = setTimeout(() => connection.client.end(), idleMs);
    connection.idle.unref();
  }

  async function throughJump(jump: SshLogin, access: SshAccess): Promise<Duplex> {
    const what = `${loginName(access)} through jump host ${loginName(jump)}`;
    const connection = await take(jump).catch((error: unknown) => {
      throw error instanceof StError ? new StError(error.code, `On the way to ${what}: ${error.message}`, { cause: error }) : error;
    });
    const way = await stream(connection, what, settings.connectTimeoutMs, (client, done) => client.forwardOut('127.0.0.1', 0, access.address, access.port, done));
    // The jump host tells only that the far side has ended, and waits for our end: without it nobody would ever hear of a connection that is lost there.
    way.once('end', () => way.destroy());
    return way;
  }

  /** Opens a stream that holds its channel of the connection until it closes. */
  async function stream(connection: Connection, what: string, timeoutMs: number, open: StreamOpener): Promise<Duplex> {
    try {
      const opened = await openStream(connection.client, what, timeoutMs, open);
      opened.once('close', () => give(connection));
      return opened;
    } catch (error) {
      give(connection);
      throw error;
    }
  }

  async function exec(access: SshAccess, command: Command, execOptions: ExecOptions): Promise<ExecResult> {
    const line = commandLine(command);
    const deadline = performance.now() + execOptions.timeoutMs;
    for (;;) {
      const timeoutMs = Math.max(1, deadline - performance.now());
      const connection = await reach(access, { timeoutMs, signal: execOptions.signal });
      try {
        return await execOn(connection.client, line, loginName(access), { ...execOptions, timeoutMs: Math.max(1, deadline - performance.now()) });
      } catch (error) {
        // The host allows fewer sessions on one connection (MaxSessions) than we took: nothing ran, so another connection is used.
        if (!isSessionRefused(error) || connection.channels === 1) throw error;
        connection.limit = Math.min(connection.limit, connection.channels - 1);
      } finally {
        give(connection);
      }
    }
  }

  /** `take` within the caller's own limit; a connection that comes too late for one caller stays for the next. */
  function reach(access: SshAccess, limits: { timeoutMs: number; signal?: AbortSignal }): Promise<Connection> {
    const tooLate = (): StError => new StError('Unreachable', `${loginName(access)}: no SSH connection within ${Math.round(limits.timeoutMs)} ms.`);
    return within(take(access), limits, tooLate, give);
  }

  return {
    exec,
    async run(access, command, runOptions) {
      return judge(loginName(access), commandLine(command), await exec(access, command, runOptions), runOptions);
    },
    async openUnixSocket(access, path, limits) {
      const connection = await reach(access, limits);
      return stream(connection, `${loginName(access)}: socket ${path}`, limits.timeoutMs, (client, done) => client.openssh_forwardOutStreamLocal(path, done));
    },
    forget(access) {
      if (!access) return refusals.forget();
      for (const login of [access, access.jump]) if (login) refusals.forget(credentialName(login));
    },
    async close() {
      await Promise.allSettled(connecting.values());
      const clients = [...pools.values()].flatMap((pool) => [...pool].map((one) => one.client));
      await Promise.all(clients.map(goodbye));
    },
  };
}

const goodbyeMs = 500;

/** A polite end, or soon an impolite one: a frozen or vanished peer never answers the first. After `end` the client's own `destroy` does nothing any more. */
function goodbye(client: Client): Promise<void> {
  const { _sock: socket } = client as unknown as { _sock?: Duplex };
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket?.destroy(), goodbyeMs);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.end();
  });
}

function poolKey(access: SshAccess): string {
  const login = (one: SshLogin): unknown[] => [one.address, one.port, one.user, one.key, one.passphrase, one.knownHosts];
  return JSON.stringify([login(access), access.jump ? login(access.jump) : null]);
}
