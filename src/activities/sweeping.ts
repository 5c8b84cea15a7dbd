/** What a Transaction Manager left behind: marks `.m_inproc` beside files that nobody processes, which keep them from being submitted again (reference §16). */
import { setTimeout as delay } from 'node:timers/promises';
import { StError } from '../model/errors';
import type { Outcome } from '../model/operation';
import { eventOf, leftBehind, nameFiles, type Mark } from '../model/stopPlan';
import type { Authority, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { localId } from './draining';
import { folderFunction } from './hostScript';
import { productOn } from './product';
import { landedAt } from './stopMarkers';

const searchMs = 8 * 60_000;
/** Between two looks: a mark whose file is just being finished is gone at the second. */
const againMs = 1_500;
/** Characters of paths in one command: Linux takes no argument above 128 KB, and the whole command is one. */
const mostAtOnce = 40_000;
const hung = 75;

/** $1 product user, $2 the shared files. Says seconds and path of each mark, with a NUL behind each. */
const findScript = String.raw`${folderFunction}
export LC_ALL=C
if [ "$(folder "$2")" = hangs ]; then exit ${hung}; fi
sudo -n -u "$1" /usr/bin/find "$2/" -type f -name '*.m_inproc' -printf '%T@ %p\0'
`;

export async function sweep(clients: Clients, { server, sharedPath, release }: { server: ServerTarget; sharedPath: string; release: boolean }, authority: Authority): Promise<Outcome> {
  const product = productOn(clients, server);
  await product.claim(authority);
  const [stoppedAt, id] = await Promise.all([landedAt(clients, server, 'tm'), localId(clients, server)]);
  if (stoppedAt === undefined) return { changed: false, note: 'no stop of its Transaction Manager is remembered, so nothing can be told to be left behind by one' };
  const find = async (): Promise<Mark[]> => {
    const { code, stdout } = await product.readScript(findScript, [server.productUser, sharedPath], { purpose: `looking for marks of files in process in ${sharedPath}`, timeoutMs: searchMs, ok: [0, hung] });
    if (code === hung) throw new StError('Unreachable', `${server.node}: ${sharedPath} does not answer`);
    return stdout.split('\0').filter((line) => line.includes(' ')).map((line) => ({ at: Number(line.slice(0, line.indexOf(' '))), path: line.slice(line.indexOf(' ') + 1) }));
  };
  const look = async (): Promise<Mark[]> => {
    const active = (await clients.admin.server(server.admin).events({ status: 'active' }, { signal: abortSignal() })).map(eventOf);
    return leftBehind(await find(), { stoppedAt, node: id, active });
  };
  let left = await look();
  if (left.length > 0) {
    await delay(againMs, undefined, { signal: abortSignal() });
    const again = await look();
    left = left.filter(({ path }) => again.some((mark) => mark.path === path));
  }
  if (left.length === 0) return { changed: false, note: 'nothing was left in process' };
  const names = nameFiles(left.map(({ path }) => ({ account: '', file: path.slice(sharedPath.length) })));
  if (!release) {
    return {
      changed: false, note: `left in process by a stop, and not to be submitted again before their marks are removed: ${names}`,
      byHand: [`${server.node}: its stop left in process: ${names}. Nobody processes them; their marks (.m_inproc) keep them from being submitted again: remove those (or run this with "sweep": true), then submit the files again`],
    };
  }
  for (const paths of portions(left.map(({ path }) => path))) await product.act(authority, ['/usr/bin/rm', '-f', ...paths], { purpose: 'removing marks of files that nobody processes' });
  return { changed: true, note: `released for resubmission: ${names}`, byHand: [`${server.node}: released by removing their marks, and to be submitted again: ${names}`] };
}

function portions(paths: readonly string[]): string[][] {
  const all: string[][] = [];
  let room = 0;
  for (const path of paths) {
    if (room < path.length) {
      all.push([]);
      room = mostAtOnce;
    }
    all.at(-1)!.push(path);
    room -= path.length;
  }
  return all;
}
