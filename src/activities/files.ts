/** The shared file system: a folder of the same name on every Server is not yet a shared one. */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { CheckResult, Problem } from '../model/operation';
import type { HostTarget } from '../model/targets';
import type { Clients } from './clients';
import { productOn } from './product';

export interface FileActivities {
  /** A probe file of our own, made on one host, looked for on the other, removed again. */
  checkShared(input: { writer: HostTarget; reader: HostTarget; path: string }): Promise<CheckResult<{ reader: string; shared: boolean }>>;
}

/** $1 product user, $2 probe. */
const makeScript = 'export LC_ALL=C; sudo -n -u "$1" /usr/bin/rm -f "$2" && sudo -n -u "$1" /usr/bin/touch "$2"';

/** A dead mount hangs whoever touches it; the commands run on the host, in processes that can be left behind. */
const probeMs = 8_000;

export function fileActivities({ clients }: { clients: Clients }): FileActivities {
  return {
    async checkShared({ writer, reader, path }) {
      const probe = posix.join(path, `.st-orchestrator-probe-${randomBytes(6).toString('hex')}`);
      // The name of the probe is ours; of all hosts that find the same, people want to read one sentence.
      const said = (stderr: string): string => stderr.trim().replaceAll(probe, path).replace(/^\/usr\/bin\//, '').slice(0, 200);
      const answer = (...problems: Problem[]): CheckResult<{ reader: string; shared: boolean }> => ({ facts: { reader: reader.node, shared: problems.length === 0 }, problems });
      // First removed: what may not be removed is not made.
      const made = await productOn(clients, writer).readScript(makeScript, [writer.productUser, probe], { purpose: `writing to ${path}`, timeoutMs: probeMs, ok: [0, 1] });
      if (made.code !== 0) return answer({ what: `${writer.node}: ${path} can't be written by ${writer.productUser} (${said(made.stderr)})`, remedy: 'mount it read-write and give it to this user' });
      try {
        const seen = await productOn(clients, reader).read(['/usr/bin/cat', probe], { purpose: `reading in ${path}`, timeoutMs: probeMs, ok: [0, 1] });
        if (seen.code === 0) return answer();
        return answer(/no such file/i.test(seen.stderr)
          ? { what: `${path} is not shared: a file made on ${writer.node} is not there on ${reader.node}`, remedy: 'mount the same file system at this path on both' }
          : { what: `${reader.node}: ${path} can't be read by ${reader.productUser} (${said(seen.stderr)})`, remedy: 'mount the same file system here as on the others, and let this user read it' });
      } finally {
        await productOn(clients, writer).read(['/usr/bin/rm', '-f', probe], { purpose: `removing the probe in ${path}`, timeoutMs: probeMs });
      }
    },
  };
}
