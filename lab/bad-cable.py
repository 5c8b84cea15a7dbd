#!/usr/bin/python3
"""A bad network cable: hands frames on between two taps, each after a delay, and loses some. The kernel's own netem is not in every kernel.
Arguments: tap, tap, delay of each direction in milliseconds, share of the frames that is lost, seed. Ends with the process; the taps go with it."""
import collections, fcntl, os, random, select, struct, sys, time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 0x0002, 0x1000


def tap(name):
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH22x', name.encode(), IFF_TAP | IFF_NO_PI))
    return device


left, right = tap(sys.argv[1]), tap(sys.argv[2])
delay, lost = float(sys.argv[3]) / 1000, float(sys.argv[4])
chance = random.Random(int(sys.argv[5]))
# All frames wait equally long, so they leave in the order in which they came.
waiting = collections.deque()
poll = select.poll()
for device in (left, right):
    poll.register(device, select.POLLIN)
while True:
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        _, device, frame = waiting.popleft()
        try:
            os.write(device, frame)
        except OSError:
            pass  # the other end is down, or full: lost, as on a cable
    left_ms = max(0, (waiting[0][0] - now) * 1000) if waiting else None
    for device, _ in poll.poll(left_ms):
        try:
            frame = os.read(device, 65536)
        except OSError:
            continue
        if chance.random() >= lost:
            waiting.append((time.monotonic() + delay, right if device == left else left, frame))
