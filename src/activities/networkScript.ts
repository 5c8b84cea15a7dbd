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

# Listening: a greeting to everybody who connects; who says a name is a peer that is not done until it hangs up.
bound = {'tcp': [], 'udp': []}
said_name, done_with_us = set(), set()
servers = []

def open_server(kind, port, family, address):
    sock = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6: sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_STREAM: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM: sock.listen(128)
        return sock
    except OSError as error:
        sock.close()
        return error.errno

def listen(kind, port, own):
    # Datagrams are answered from the address that the others know this host by, or a host with several would answer from another.
    tries = [(own[0], own[4][0])] if own and kind == socket.SOCK_DGRAM else []
    for family, address in tries + [(socket.AF_INET6, '::'), (socket.AF_INET, '0.0.0.0')]:
        sock = open_server(kind, port, family, address)
        if not isinstance(sock, int): return sock
        if sock == errno.EADDRINUSE: return None
    return None

def accept(server):
    try: client, _ = server.accept()
    except OSError: return
    client.setblocking(False)
    name = []
    def read():
        try: data = client.recv(256)
        except BlockingIOError: return
        except OSError: data = b''
        if data:
            name.append(data.decode('utf-8', 'replace').strip())
            said_name.add(name[0])
            return
        if name: done_with_us.add(name[0])
        drop(client)
    try: client.send(json.dumps([plan['word'], bound]).encode() + b'\n')
    except OSError: return client.close()
    watch(client, read)

def echo(server):
    try:
        data, whence = server.recvfrom(256)
        if data == word: server.sendto(data, whence)
    except OSError: pass

class Peer:
    def __init__(self, entry):
        self.name, self.address, self.cache = entry['name'], entry['address'], entry['cache']
        self.info, self.bound, self.met_at, self.control, self.rtts = found.get(self.address), None, None, None, []
        self.probes = [] if self.info is None else [Tcp(self, port, port in plan['listen']) for port in entry['tcp']] + [Udp(self, port) for port in entry['udp']]
    def target(self, port): return (self.info[4][0], port) + tuple(self.info[4][2:])
    def met(self, bound, sock):
        if self.met_at is None:
            self.bound, self.met_at, self.control = bound, now(), sock
            sock.send(plan['name'].encode() + b'\n')
            def read():
                try: gone = sock.recv(256) == b''
                except BlockingIOError: return
                except OSError: gone = True
                if gone: self.hang_up()
            loop.modify(sock, selectors.EVENT_READ, read)
            return True
        return False
    def listens(self, kind, port): return self.control is not None and port in self.bound[kind]
    def hang_up(self):
        drop(self.control)
        self.control = None
    def done(self): return all(probe.result for probe in self.probes)

class Tcp:
    def __init__(self, peer, port, cache):
        self.peer, self.port, self.cache, self.result, self.again, self.sock, self.refused_met = peer, port, cache, None, 0, None, 0
    def step(self):
        if self.result: return
        if self.sock is None:
            if now() >= self.again: self.start()
        elif now() >= self.until:
            drop(self.sock)
            self.end('open' if self.connected else 'silent')
    def start(self):
        self.sock, self.connected, self.until, self.heard = socket.socket(self.peer.info[0], socket.SOCK_STREAM), False, now() + silence, b''
        self.sock.setblocking(False)
        code = self.sock.connect_ex(self.peer.target(self.port))
        if code in (0, errno.EINPROGRESS): watch(self.sock, self.connect, selectors.EVENT_WRITE)
        else: self.failed(code)
    def connect(self):
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code: return self.failed(code)
        self.connected, self.until = True, now() + 1
        if sys.platform == 'linux': self.peer.rtts.append(struct.unpack_from('I', self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 68)[0] / 1000)
        if not self.cache:
            drop(self.sock)
            return self.end('open')
        loop.modify(self.sock, selectors.EVENT_READ, self.greeting)
    def greeting(self):
        try: data = self.sock.recv(4096)
        except BlockingIOError: return
        except OSError: data = b''
        self.heard += data
        if data and b'\n' not in self.heard and len(self.heard) < 4096: return
        kept = False
        try:
            said, bound = json.loads(self.heard)
            kept = said == plan['word'] and self.peer.met(bound, self.sock)
        except Exception: pass
        if not kept: drop(self.sock)
        self.end('open')
    def failed(self, code):
        drop(self.sock)
        self.sock = None
        if code == errno.ECONNREFUSED:
            self.again = now() + 0.2
            if self.peer.listens('tcp', self.port):
                # The first may be from before the peer listened.
                self.refused_met += 1
                if self.refused_met > 1: self.end('turned away')
            elif not self.cache or self.peer.met_at is not None or now() > window: self.end('open')
        elif code == errno.ETIMEDOUT: self.end('silent')
        else: self.end('turned away')
    def end(self, result): self.result = result

class Udp:
    def __init__(self, peer, port):
        self.peer, self.port, self.result, self.again, self.refused, self.since = peer, port, None, 0, False, None
        self.sock = socket.socket(peer.info[0], socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect(peer.target(port))
        watch(self.sock, self.read)
    def step(self):
        if self.result: return
        if self.peer.listens('udp', self.port):
            # What refused before it listened refuses no more.
            if self.since is None: self.since, self.refused = now(), False
            elif now() - self.since > silence: return self.end('turned away' if self.refused else 'silent')
        elif self.peer.met_at is not None or now() > window:
            # A program of that host holds the port: it works with it, or says so itself.
            held = self.peer.met_at is not None and self.port not in self.peer.bound['udp']
            return self.end('open' if self.refused or held else 'unproven')
        if now() >= self.again:
            self.again = now() + 0.3
            try: self.sock.send(word)
            except OSError as error: self.failed(error.errno)
    def read(self):
        try:
            if self.sock.recv(256) == word: self.end('open')
        except OSError as error: self.failed(error.errno)
    def failed(self, code):
        if code == errno.ECONNREFUSED: self.refused = True
        elif code in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES): self.end('turned away')
    def end(self, result):
        self.result = result
        drop(self.sock)

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
