"""A server on this machine that answers whatever a test wants, byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from waiting import LONG

Answer = Callable[[socket.socket], None]
"""Writes to a connection whose request has been read; may raise OSError when nobody listens any more."""


class Misbehaving:
    """``answers`` are taken in turn, the last of them again and again; ``asked`` counts the requests."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/file.bin"
        self.answers: list[Answer] = []
        self.asked = 0

    def respond(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(LONG)
            request = b""
            while b"\r\n\r\n" not in request:
                if not (data := connection.recv(4096)):
                    return
                request += data
            self.asked += 1
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            answer(connection)


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Misbehaving(listener.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=server.respond, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(LONG)


def says(*parts: bytes) -> Answer:
    """These bytes, and then the connection is closed."""
    return lambda connection: connection.sendall(b"".join(parts))


def for_ever(head: bytes, piece: bytes) -> Answer:
    """A beginning, and then the same again and again until nobody listens."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return answer
