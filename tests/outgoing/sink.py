"""A receiver on this machine that remembers what it was told and answers as it is bid."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.event["data"])


@dataclass
class Answer:
    """What is answered: a status, headers, and a body piece by piece."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] = ()


class Sink:
    """answer: what each request is answered, by the request and its number from 1."""

    def __init__(self, certificate: str = "") -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got, int], Answer] = lambda _got, _number: Answer()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with sink._lock:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    got = Got(self.path, headers, body, time.monotonic())
                    sink.got.append(got)
                    number = len(sink.got)
                    sink.at_once += 1
                    sink.most_at_once = max(sink.most_at_once, sink.at_once)
                try:
                    answer = sink.answer(got, number)
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Connection", "close")
                    self.end_headers()
                    for piece in answer.pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    pass  # whoever asked has gone
                finally:
                    with sink._lock:
                        sink.at_once -= 1

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.scheme = "http"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(HERE / certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    def wait_for(self, number: int) -> None:
        """Until so many requests have come."""
        deadline = time.monotonic() + 20
        while len(self.got) < number:
            assert time.monotonic() < deadline, f"{len(self.got)} of {number} requests came"
            time.sleep(0.01)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
