/** Python for networkScript.ts: the ways of one host to another, each tried until it is known how it stands. Uses `plan`, `word`, `found`, `now`, `watch` and `drop` of the program around it. */
export const networkProbes = String.raw`
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
        self.peer, self.port, self.cache, self.result, self.again, self.sock, self.refused_met, self.resets = peer, port, cache, None, 0, None, 0, 0
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
        elif code == errno.ECONNRESET and self.resets < 3:
            # Another run's program on that host has just ended, with this connection in its queue.
            self.again, self.resets = now() + 0.2, self.resets + 1
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
`;
