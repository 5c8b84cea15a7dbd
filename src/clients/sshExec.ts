/** One command on one open SSH connection: bounded in time and output, abortable, and honest about what is not known. */
import { Readable } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { StError } from '../model/errors';
import { converse, silentTerminal, type Talk } from './sshTerminal';

export interface ExecOptions {
  /** Fed to the command; its standard input is closed afterwards, always. A stream that breaks off closes the channel: the command is not told that its input is whole. */
  stdin?: string | Buffer | Readable;
  /** Runs the command at a terminal, where what it asks for is answered. Both its streams are one then, told as either; there is no `stdin`. */
  terminal?: Talk;
  /** The whole call, connecting included, in milliseconds. */
  timeoutMs: number;
  /** Ends the command with TERM, then closes its channel; the call throws `signal.reason`. */
  signal?: AbortSignal;
  /** Most bytes kept of each stream: the first of stdout, the last of stderr. 1 MiB by default. */
  maxBytes?: number;
}

export interface ExecResult {
  /** Exit code; `null` when a signal ended the command or the end is not known. */
  code: number | null;
  /** The signal that ended it (`TERM`, `KILL`, …). */
  signal?: string;
  stdout: string;
  stderr: string;
  /** The connection ended first: the command may or may not have run, and may still be running. Never a success. */
  lost: boolean;
  /** `timeoutMs` passed: the command was sent TERM and its channel closed; it may still be running. */
  timedOut: boolean;
  /** Some output was left out. */
  truncated: boolean;
}

/** How long a command has to end by itself after TERM before its channel is closed, in milliseconds. */
const graceMs = 1000;
/** Silence after the exit code that ends the wait for a channel that others hold open, in milliseconds. */
const quietMs = 1000;
const defaultMaxBytes = 1024 * 1024;

/**
 * Runs a command line on the connection. Resolves for every end of the command, also for a lost connection.
 * @throws `signal.reason` when aborted; StError Unreachable when the host opened no session, so that the command certainly did not run; PermissionDenied when it gives no terminal; what the talk at a terminal ended it for.
 */
export function execOn(client: Client, command: string, where: string, options: ExecOptions): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const stdout = collect(options.maxBytes ?? defaultMaxBytes, options.terminal ? 'last' : 'first');
    const stderr = collect(options.maxBytes ?? defaultMaxBytes, 'last');
    let channel: ClientChannel | undefined;
    let code: number | null = null;
    let signal: string | undefined;
    let ended = false;
    let stopping: 'time' | 'abort' | StError | undefined;
    let conversation: ReturnType<typeof converse> | undefined;
    let grace: NodeJS.Timeout | undefined;
    let quiet: NodeJS.Timeout | undefined;
    let closed = false;
    const timer = setTimeout(() => stop('time'), options.timeoutMs);
    const onAbort = (): void => stop('abort');
    const onConnectionEnd = (): void => end();

    function end(failure?: Error): void {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      clearTimeout(grace);
      clearTimeout(quiet);
      conversation?.end();
      options.signal?.removeEventListener('abort', onAbort);
      client.off('close', onConnectionEnd);
      if (stopping === 'abort') return reject(options.signal?.reason as Error);
      if (stopping instanceof StError) return reject(stopping);
      if (failure) return reject(failure);
      const said = options.terminal ? options.terminal.hide(stdout.text()) : stdout.text();
      resolve({
        code, signal,
        stdout: said, stderr: options.terminal ? said : stderr.text(),
        lost: !closed && stopping === undefined,
        timedOut: stopping === 'time',
        truncated: stdout.truncated() || stderr.truncated(),
      });
    }

    function finish(): void {
      closed = true;
      end();
    }

    function stop(why: 'time' | 'abort' | StError): void {
      if (stopping || ended) return;
      stopping = why;
      // Before the channel is open there is nothing to end yet: the callback below ends it when it comes.
      if (!channel) return end();
      terminate(channel);
      grace = setTimeout(() => {
        channel?.close();
        end();
      }, graceMs);
    }

    client.once('close', onConnectionEnd);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) return stop('abort');
    try {
      client.exec(command, options.terminal ? { pty: silentTerminal } : {}, (error, opened) => {
        if (ended) {
          if (!opened) return;
          terminate(opened);
          opened.close();
          return;
        }
        if (error) return end(notOpened(error, where));
        channel = opened;
        const take = (sink: Sink) => (chunk: Buffer): void => {
          sink.add(chunk);
          quiet?.refresh();
        };
        opened.on('data', take(stdout));
        if (options.terminal) {
          conversation = converse(opened, options.terminal, stop);
          opened.on('data', conversation.hear);
        }
        opened.stderr.on('data', take(stderr));
        opened.on('exit', (exitCode: number | null, exitSignal?: string) => {
          code = exitCode ?? null;
          signal = exitSignal?.replace(/^SIG/, '');
          // A daemon that the command left behind may hold its output open for ever; what the command itself wrote has come by then.
          quiet = setTimeout(() => {
            opened.close();
            finish();
          }, quietMs);
        });
        // Without an exit status the close means a lost connection, whatever came before.
        opened.on('close', () => (code === null && signal === undefined ? end() : finish()));
        // A command may end without reading its input; that is no failure of ours.
        opened.on('error', () => undefined);
        if (!options.terminal) feed(opened, options.stdin);
      });
    } catch (error) {
      end(new StError('Unreachable', `${where}: the connection is closed.`, { cause: error }));
    }
  });
}

function feed(channel: ClientChannel, stdin: ExecOptions['stdin']): void {
  if (!(stdin instanceof Readable)) return void channel.end(stdin);
  // It may have broken off while the channel was opened.
  if (stdin.errored || (stdin.destroyed && !stdin.readableEnded)) return channel.close();
  stdin.once('error', () => channel.close());
  stdin.pipe(channel);
}

const refusedSessions = new WeakSet<Error>();

/** Whether the host answered, but opened no session: the command certainly did not run. */
export const isSessionRefused = (error: unknown): boolean => error instanceof Error && refusedSessions.has(error);

/** A refusal by the host means that nothing ran; any other error leaves that open and is told as a lost command. */
function notOpened(error: Error & { reason?: unknown }, where: string): Error | undefined {
  if (error.message === 'Unable to request a pseudo-terminal') {
    return new StError('PermissionDenied', `${where}: the host gives this login no terminal, which the command asks at. Its sshd must allow it (PermitTTY), and so must the key in authorized_keys (no-pty, restrict).`, { cause: error });
  }
  if (error.reason !== undefined || error.message.startsWith('Unable to exec')) {
    const failure = new StError('Unreachable', `${where}: the host opened no session for a command (${error.message}).`, { cause: error });
    refusedSessions.add(failure);
    return failure;
  }
  return undefined;
}

/** `ClientChannel.signal` does nothing once our side has sent its end of input, which the protocol allows: so the message is sent itself. */
function terminate(channel: ClientChannel): void {
  const { outgoing, _client } = channel as unknown as { outgoing?: { id: number; state: string }; _client?: { _protocol?: { signal(id: number, name: string): void } } };
  if (outgoing && outgoing.state !== 'closed') _client?._protocol?.signal(outgoing.id, 'TERM');
}

interface Sink {
  add(chunk: Buffer): void;
  text(): string;
  truncated(): boolean;
}

function collect(limit: number, keep: 'first' | 'last'): Sink {
  let chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  return {
    add(chunk: Buffer): void {
      if (keep === 'first') {
        const room = limit - size;
        if (chunk.length > room) cut = true;
        if (room <= 0) return;
        const part = chunk.subarray(0, room);
        chunks.push(part);
        size += part.length;
        return;
      }
      chunks.push(chunk);
      size += chunk.length;
      if (size > 2 * limit) trim();
    },
    text(): string {
      if (size > limit) trim();
      return Buffer.concat(chunks).toString('utf8');
    },
    truncated: (): boolean => cut || size > limit,
  };
  function trim(): void {
    cut = true;
    chunks = [Buffer.concat(chunks).subarray(-limit)];
    size = chunks[0]!.length;
  }
}
