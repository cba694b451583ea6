"""What stands between a ledger's client and its server, and fails when it is told to."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable

BEFORE, AFTER, KILLED, DIES = "cut before", "cut after", "backend killed", "client killed"
"""The connection is cut before the server has a statement, or once it has answered and before the answer arrives; the server's
process, or the client's, is killed before it."""


class Proxy:
    """Passes on what is said, and does `how` to the statement `at` (counted over all connections), or to the first that contains
    `saying`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.kill_backends: Callable[[], object] = lambda: None
        self.kill_client: Callable[[], object] = lambda: None
        self.arm()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, at: int = 0, how: str = "", saying: bytes = b"", then: Callable[[], object] = lambda: None) -> None:
        """`then`: what is done once it has struck."""
        self._at, self._how, self._saying, self._then = at, how, saying, then
        self.said, self.struck = 0, False

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._port)) as server:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if server in ready:
                    if not (data := server.recv(1 << 16)):
                        return
                    client.sendall(data)
                elif not (data := client.recv(1 << 16)) or not self._passed_on(data, server):
                    return

    def _passed_on(self, data: bytes, server: socket.socket) -> bool:
        """False: the connection is cut."""
        self.said += 1
        here = self.said == self._at or bool(self._saying and self._saying in data)
        if not here or self.struck or not self._how:
            server.sendall(data)
            return True
        self.struck = True
        if self._how == AFTER:
            server.sendall(data)
            # Of several statements sent at once only the last is answered.
            if select.select([server], [], [], 0.5)[0]:
                server.recv(1 << 16)
        elif self._how == KILLED:
            self.kill_backends()
            server.sendall(data)
        elif self._how == DIES:
            self.kill_client()
        self._then()
        return self._how == KILLED
