"""A proxy that loses answers: the server has done what it was asked and said so, and the client never hears of it."""

import random
import re
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length:\s*([0-9]+)", re.IGNORECASE)


class Forgetting(socketserver.ThreadingTCPServer):
    """Hands each request on to `port` of this machine; of the answers, a share is dropped. One request a connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, port: int, *, share: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.share, self.chance = port, share, random.Random(seed)
        self.lock, self.dropped, self.handed_on = threading.Lock(), 0, 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def forgets(self) -> bool:
        with self.lock:
            lost = self.chance.random() < self.share
            self.dropped += lost
            self.handed_on += not lost
        return lost

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client or a server that went away is what this is about."""


class _Handler(socketserver.BaseRequestHandler):
    server: Forgetting

    def handle(self) -> None:
        asked = _message(self.request)
        with socket.create_connection(("127.0.0.1", self.server.upstream), timeout=30) as onward:
            onward.sendall(asked)
            answer = bytearray()
            while chunk := onward.recv(65_536):
                answer += chunk
        if answer and self.server.forgets():
            # Closed like this, the connection is reset: not even an end is heard.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        self.request.sendall(answer)


def _message(connection: socket.socket) -> bytes:
    """A request with its body, by its length."""
    text = bytearray()
    while b"\r\n\r\n" not in text:
        if not (chunk := connection.recv(65_536)):
            return bytes(text)
        text += chunk
    head, _gap, body = bytes(text).partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    missing = (int(found[1]) if found else 0) - len(body)
    while missing > 0 and (chunk := connection.recv(65_536)):
        text += chunk
        missing -= len(chunk)
    return bytes(text)


@contextmanager
def forgetting(port: int, *, share: float, seed: int) -> Iterator[Forgetting]:
    proxy = Forgetting(port, share=share, seed=seed)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        with suppress(OSError):
            proxy.server_close()
        thread.join(10)
