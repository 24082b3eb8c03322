"""Put on PYTHONPATH, this keeps a Python process, and those that it starts, from every network: names are not looked up
and no address but a local pipe's is reached. What was tried is noted in $OFFLINE_LOG too, since a library may swallow
the refusal.
"""

import os
import socket
import sys

LOOKED_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
REACHED = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")


def refuse(event: str, about: tuple[object, ...]) -> None:
    """Ends what opens a connection; what pipes of one machine do is none."""
    if event in LOOKED_UP or (event in REACHED and about[0].family != getattr(socket, "AF_UNIX", None)):
        tried = f"{event} {about[1:] if event in REACHED else about}"
        with open(os.environ["OFFLINE_LOG"], "a") as log:
            log.write(f"{tried} in {sys.argv}\n")
        raise PermissionError(f"no network here: {tried}")


sys.addaudithook(refuse)
