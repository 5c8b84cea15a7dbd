/** The product's own files and commands on one host, run as its user and, when they change something, under the operation's authority. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { guardedCommand } from '../clients/guard';
import { asUser, script } from '../clients/quote';
import type { Command, RunResult } from '../clients/ssh';
import type { Talk } from '../clients/sshTerminal';
import type { Authority, HostTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** Room for a slow host; a command that takes longer is a job. */
const commandMs = 60_000;

/**
 * Puts whole files in place, each at once, in one command: a command of its own for every file and every mode costs a Server dozens of round trips.
 * Standard input has a line for each file, its content in base64: input that breaks off ends the script before the file it was about is in place.
 * $1 product user, $2 folder to be made first or nothing, then path and mode of each file. The umask keeps the unfinished ones from all others' eyes.
 */
const writeScript = String.raw`
umask 077
user=$1; folder=$2; shift 2
product() { sudo -n -u "$user" "$@"; }
command -v base64 >/dev/null || { echo "base64 (package coreutils) is not installed on this host" >&2; exit 1; }
[ -z "$folder" ] || product /usr/bin/mkdir -p "$folder" || exit
while [ $# -gt 1 ]; do
  IFS= read -r content || { echo "the input broke off before $1" >&2; exit 1; }
  unfinished="$1.st-orchestrator"
  printf '%s' "$content" | base64 -d | product /usr/bin/tee "$unfinished" >/dev/null &&
    product /usr/bin/chmod "$2" "$unfinished" && product /usr/bin/mv -f "$unfinished" "$1" || exit
  shift 2
done
`;

/** Exit code of `base64Script` where the file is not there. Not 1, which is sudo's when it refuses and anyone's who fails. */
const notThere = 44;

/** $1 product user, $2 path. A pipe has the exit code of its end alone, and a file that sudo does not let us see must not look as if it were not there. */
const base64Script = String.raw`
if sudo -n -u "$1" /usr/bin/test ! -e "$2"; then exit ${notThere}; fi
exec 4>&1
code=$({ { sudo -n -u "$1" /usr/bin/cat "$2"; echo $? >&3; } | base64 -w0 >&4; } 3>&1)
exit "$code"
`;

export interface RunAs {
  purpose: string;
  stdin?: string | Buffer | Readable;
  /** At a terminal, where this is said. */
  terminal?: Talk;
  timeoutMs?: number;
  ok?: readonly number[];
}

export interface FileToWrite {
  path: string;
  content: string | Buffer;
  /** Octal: `600`. */
  mode: string;
}

export interface Product {
  /** A path below FILEDRIVEHOME. */
  path(...parts: string[]): string;
  /** A path beside FILEDRIVEHOME, for what the installer needs and an update must not replace. */
  beside(...parts: string[]): string;
  /** Reads; needs no authority. */
  read(argv: readonly string[], options: RunAs): Promise<RunResult>;
  /** Like `read`, for constant shell text with arguments. */
  readScript(body: string, args: readonly string[], options: RunAs): Promise<RunResult>;
  /** The bytes of a file that need not be text (output of commands is text); undefined where it is not there. */
  readBytes(path: string): Promise<Buffer | undefined>;
  /** Refuses when a newer operation has taken the host over. For effects that do not go through this host's shell. */
  claim(authority: Authority): Promise<void>;
  /** Changes; refused by the host when a newer operation has taken over. */
  act(authority: Authority, argv: readonly string[], options: RunAs): Promise<RunResult>;
  /** Like `act`, for constant shell text with arguments. */
  actScript(authority: Authority, body: string, args: readonly string[], options: RunAs): Promise<RunResult>;
  /** Puts whole files in place, each at once: a reader finds the old one or the new one. `folder` is made when missing. */
  writeFiles(authority: Authority, files: readonly FileToWrite[], options?: { folder?: string }): Promise<void>;
}

/** `conf/a.xml, conf/b.xml (in /opt/axway)`: what all of them share is told once, so that what the host said of one of them is not buried. */
export function named(paths: readonly string[]): string {
  const parts = paths.map((path) => path.split('/'));
  const [first = []] = parts;
  const differs = first.findIndex((part, at) => parts.some((other) => at >= other.length - 1 || other[at] !== part));
  const shared = first.slice(0, Math.max(0, differs)).join('/');
  return paths.length < 2 || shared === '' ? paths.join(', ') : `${paths.map((path) => path.slice(shared.length + 1)).join(', ')} (in ${shared})`;
}

export function productOn({ ssh }: Clients, host: HostTarget): Product {
  const run = (command: Command, { purpose, stdin, terminal, timeoutMs = commandMs, ok }: RunAs): Promise<RunResult> =>
    ssh.run(host.ssh, command, { purpose: `${host.node}: ${purpose}`, timeoutMs, signal: abortSignal(), ...(stdin !== undefined ? { stdin } : {}), ...(terminal ? { terminal } : {}), ...(ok ? { ok } : {}) });
  const asProduct = (argv: readonly string[]): string[] => asUser(host.productUser, argv);
  const product: Product = {
    path: (...parts) => posix.join(host.fileDriveHome, ...parts),
    beside: (...parts) => posix.join(posix.dirname(host.fileDriveHome), ...parts),
    read: (argv, options) => run(asProduct(argv), options),
    readScript: (body, args, options) => run(script(body, args), options),
    async readBytes(path) {
      const { code, stdout } = await run(script(base64Script, [host.productUser, path]), { purpose: `reading ${path}`, ok: [0, notThere] });
      return code === 0 ? Buffer.from(stdout, 'base64') : undefined;
    },
    claim: async (authority) => void (await run(guardedCommand(authority, ['true']), { purpose: 'taking the host over' })),
    act: (authority, argv, options) => run(guardedCommand(authority, asProduct(argv)), options),
    actScript: (authority, body, args, options) => run(guardedCommand(authority, script(body, args)), options),
    async writeFiles(authority, files, { folder = '' } = {}) {
      const input = files.map(({ content }) => `${Buffer.from(content).toString('base64')}\n`).join('');
      const args = [host.productUser, folder, ...files.flatMap(({ path, mode }) => [path, mode])];
      await product.actScript(authority, writeScript, args, { purpose: `writing ${named(files.map(({ path }) => path))}`, stdin: input });
    },
  };
  return product;
}
