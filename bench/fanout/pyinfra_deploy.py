"""The four tasks as pyinfra operations."""
import os

from pyinfra.operations import files, server

path = os.environ["ST_FANOUT_PATH"]
server.shell(name="test", commands=["test -d /home"])
server.shell(name="true", commands=["true"])
files.put(name="put", src=os.environ["ST_FANOUT_SOURCE"], dest=path)
server.shell(name="read", commands=["cat " + path])
