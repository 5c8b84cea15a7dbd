/** The shared file system: a folder of the same name on every Server is not yet a shared one. */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { CheckResult, Problem } from '../model/operation';
import { shorten } from '../model/shorten';
import type { HostTarget } from '../model/targets';
import type { Clients } from './clients';
import { hangs } from './hostProblems';
import { folderFunction } from './hostScript';
import { productOn } from './product';

export interface FileActivities {
  /** A probe file of our own, made on one host, looked for on the other, removed again. */
  checkShared(input: { writer: HostTarget; reader: HostTarget; path: string }): Promise<CheckResult<{ reader: string; shared: boolean }>>;
}

const probeMs = 10_000;
const hung = 75;

/** $1 product user, $2 folder; then `touch`, `cat` or `rm`, and the probe. As that user, unless the folder hangs whoever touches it. */
const probeScript = String.raw`${folderFunction}
export LC_ALL=C
product() { sudo -n -u "$user" "$@"; }
user=$1
if [ "$(folder "$2")" = hangs ]; then exit ${hung}; fi
case $3 in
  # First removed: what may not be removed is not made.
  touch) product /usr/bin/rm -f "$4" && product /usr/bin/touch "$4" ;;
  cat) product /usr/bin/cat "$4" ;;
  rm) product /usr/bin/rm -f "$4" ;;
esac
`;

export function fileActivities({ clients }: { clients: Clients }): FileActivities {
  return {
    async checkShared({ writer, reader, path }) {
      const probe = posix.join(path, `.st-orchestrator-probe-${randomBytes(6).toString('hex')}`);
      const on = (host: HostTarget, act: 'touch' | 'cat' | 'rm', purpose: string) =>
        productOn(clients, host).readScript(probeScript, [host.productUser, path, act, probe], { purpose, timeoutMs: probeMs, ok: [0, 1, hung] });
      // The name of the probe is ours; of all hosts that find the same, people want to read one sentence.
      const said = (stderr: string): string => shorten(stderr.trim().replaceAll(probe, path).replace(/^\/usr\/bin\//, ''), 200);
      const answer = (...problems: Problem[]): CheckResult<{ reader: string; shared: boolean }> => ({ facts: { reader: reader.node, shared: problems.length === 0 }, problems });
      const dead = ({ node }: HostTarget): Problem => {
        const [what, remedy] = hangs(path);
        return { what: `${node}: ${what}`, remedy };
      };
      const made = await on(writer, 'touch', `writing to ${path}`);
      if (made.code === hung) return answer(dead(writer));
      if (made.code !== 0) return answer({ what: `${writer.node}: ${path} can't be written by ${writer.productUser} (${said(made.stderr)})`, remedy: 'mount it read-write and give it to this user' });
      try {
        const seen = await on(reader, 'cat', `reading in ${path}`);
        if (seen.code === hung) return answer(dead(reader));
        if (seen.code === 0) return answer();
        return answer(/no such file/i.test(seen.stderr)
          ? { what: `${path} is not shared: a file made on ${writer.node} is not there on ${reader.node}`, remedy: 'mount the same file system at this path on both' }
          : { what: `${reader.node}: ${path} can't be read by ${reader.productUser} (${said(seen.stderr)})`, remedy: 'mount the same file system here as on the others, and let this user read it' });
      } finally {
        await on(writer, 'rm', `removing the probe in ${path}`);
      }
    },
  };
}
