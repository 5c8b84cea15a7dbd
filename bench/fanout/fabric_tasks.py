"""The four tasks by Fabric: a thread for each host, the hosts side by side. Settings as JSON on the command line, times in seconds as JSON on stdout."""
import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from fabric import Connection

settings = json.loads(sys.argv[1])
content = settings["content"]


def connect(address):
    return Connection(address, user=settings["user"], connect_kwargs={"key_filename": settings["key"], "allow_agent": False, "look_for_keys": False})


def tasks(connection):
    connection.run("test -d /home", hide=True)
    connection.run("true", hide=True)
    connection.put(io.StringIO(content), settings["path"])
    if connection.run("cat " + settings["path"], hide=True).stdout != content:
        raise SystemExit(connection.host + ": what was read is not what was put")


def timed(threads, connections):
    began = time.perf_counter()
    list(threads.map(tasks, connections))
    return time.perf_counter() - began


times = {"cold": [], "open": []}
with ThreadPoolExecutor(len(settings["addresses"])) as threads:
    for _ in range(settings["repeat"]):
        connections = [connect(address) for address in settings["addresses"]]
        times["cold"].append(timed(threads, connections))
        times["open"].append(timed(threads, connections))
        for connection in connections:
            connection.close()
print(json.dumps(times))
