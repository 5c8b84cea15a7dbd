/** Python for networkScript.ts: what a host listens with while the others try their ways to it. Uses `plan`, `word`, `watch` and `drop` of the program around it. */
export const networkListener = String.raw`
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
`;
