"""The address that the server listens on."""

import errno
import socket

from app.commands.settings import stop


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`, or the end of the command with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        stop(_why_not(host, port, error))
    listener.set_inheritable(True)
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is in use. Is Parley running already? Else choose another one with --port."
        case errno.EACCES:
            return f"Port {port} is reserved for the system. Choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine. 0.0.0.0 listens on all of them."
        case _:
            return f"Parley cannot listen on {host} port {port}: {error.strerror}. See --host and --port."
