import { networkListener } from './networkListener';
import { networkProbes } from './networkProbes';

/**
 * Tries the ways between the hosts of a cluster, on each host at once, as the login's own user. For a few seconds it listens on those ports of the
 * cluster cache that nobody uses, so that what another host finds is an answer from this program, not a guess; it stops when all others are done.
 * Of a port below 1024, or one that a program of the host holds, it is told whether the machine answers at all (taken or refused), which a firewall may do
 * in its place. Only python3's own library; nothing is written, and a datagram is answered only when it carries the word of this run.
 *
 * Argument: a NetworkPlan (below) as JSON. Answers one line, a NetworkAnswer as JSON.
 */
const program = String.raw`
import errno, json, resource, selectors, socket, struct, sys, threading, time
plan = json.loads(sys.argv[1])
word = plan['word'].encode()
began = time.monotonic()
window, longest, silence = plan['windowMs'] / 1000, plan['longestMs'] / 1000, plan['silenceMs'] / 1000
now = lambda: time.monotonic() - began
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
loop = selectors.DefaultSelector()

# All names at once: where no name server answers, each would wait for itself.
found = {}
def resolve(address):
    try: found[address] = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)[0]
    except OSError: pass
threads = [threading.Thread(target=resolve, args=(address,), daemon=True) for address in {plan['address'], *(entry['address'] for entry in plan['peers'])}]
for thread in threads: thread.start()
for thread in threads: thread.join(max(0, 3 - now()))
began = time.monotonic()

def watch(sock, act, events=selectors.EVENT_READ): loop.register(sock, events, act)
def drop(sock):
    if sock is None or sock.fileno() < 0: return
    try: loop.unregister(sock)
    except KeyError: pass
    sock.close()
${networkListener}${networkProbes}
own = found.get(plan['address'])
for port in plan['listen']:
    for kind, name, act in ((socket.SOCK_STREAM, 'tcp', accept), (socket.SOCK_DGRAM, 'udp', echo)):
        sock = listen(kind, port, own)
        if sock is None: continue
        bound[name].append(port)
        servers.append(sock)
        watch(sock, lambda sock=sock, act=act: act(sock))
peers = [Peer(entry) for entry in plan['peers']]
expected = {peer.name for peer in peers if peer.cache}
while now() < longest:
    for peer in peers:
        for probe in peer.probes: probe.step()
        if peer.control is not None and peer.done(): peer.hang_up()
    waiting = expected - done_with_us
    if all(peer.done() for peer in peers) and (not waiting or (now() > window and not waiting & said_name)): break
    for key, _ in loop.select(0.05): key.data()

def median(numbers): return sorted(numbers)[len(numbers) // 2] if numbers else None
print(json.dumps({
    'unknown': [peer.name for peer in peers if peer.info is None],
    'met': [peer.name for peer in peers if peer.met_at is not None],
    'shut': [[peer.name, type(probe).__name__.lower(), probe.port, probe.result or 'silent'] for peer in peers for probe in peer.probes if probe.result != 'open'],
    'roundTripMs': {peer.name: median(peer.rtts) for peer in peers if peer.rtts},
    'listened': bound,
}))
`;

/** $1: the plan. Where there is no python3 it says so and ends well. RHEL keeps one for itself where nobody installed another. */
export const networkScript = String.raw`
for python in python3 /usr/libexec/platform-python; do
  if command -v "$python" >/dev/null 2>&1; then exec "$python" -IS -c "$2" "$1"; fi
done
echo '{"python":false}'
`;
export const networkArgs = (plan: NetworkPlan): string[] => [JSON.stringify(plan), program];

export interface NetworkPlan {
  /** Known to the programs of this run alone. */
  word: string;
  name: string;
  /** By which the others know this host. */
  address: string;
  /** The ports to listen on while the others try them. */
  listen: readonly number[];
  /** `cache`: a Server, on whose host the same program runs at this time. */
  peers: { name: string; address: string; tcp: readonly number[]; udp: readonly number[]; cache: boolean }[];
  /** How long to wait for others that begin later; the longest that the program may run; after how long without an answer a way is shut. */
  windowMs: number;
  longestMs: number;
  silenceMs: number;
}

/** `silent`: no answer. `turned away`: something between says no. `unproven`: nobody listened there who could have answered. */
export type Shut = 'silent' | 'turned away' | 'unproven';

export interface NetworkAnswer {
  /** False: there is none on this host, and nothing else is told. */
  python?: boolean;
  /** Names of peers whose address this host can't resolve. */
  unknown: string[];
  met: string[];
  shut: [peer: string, protocol: 'tcp' | 'udp', port: number, why: Shut][];
  /** Median of the kernel's own figures for its handshakes, by peer. */
  roundTripMs: Record<string, number>;
  listened: { tcp: number[]; udp: number[] };
}
