"""A server that takes connections and ends each, as one does that starts, or that wants TLS and is spoken to without."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from struct import pack

RESET = pack("ii", 1, 0)
"""Linger for no time: the end is a reset."""
PATIENCE_SECONDS = 0.5
MOST_BYTES = 4096


@contextmanager
def hanging_up(*, listens: bool = False, resets: bool = False) -> Iterator[int]:
    """Its port. `listens`: it hears the client out before; `resets`: it ends without a goodbye."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                with suppress(OSError):
                    client, _ = server.accept()
                    with client:
                        client.settimeout(PATIENCE_SECONDS)
                        if resets:
                            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        if listens:
                            client.recv(MOST_BYTES)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            is_over.set()
            with suppress(OSError):  # so that it waits for nobody
                socket.create_connection(server.getsockname(), 1).close()
            thread.join()
