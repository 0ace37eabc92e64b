"""gunicorn's worker with threads, save that an address too long to be read is answered with a page of this program, and
that whoever sends more than is read still gets to hear the answer."""

import socket
import time
from contextlib import suppress
from typing import Any

from django.template import loader
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

# How long what is left of such a request is read and thrown away.
_DRAIN_SECONDS = 1.0
_DRAIN_BYTES = 65_536
# The same for the rest of a body. Client libraries read no answer before they have sent all of it, and a connection
# closed with something unread is reset, the answer with it: they would try the same again, for ever. gunicorn itself
# gives up after 64 KiB.
_BODY_SECONDS = 15.0
_BODY_BYTES = 64 * 1024 * 1024


# How long a process that serves somebody leaves a new connection to one that serves fewer.
_YIELD_SECONDS, _YIELDS = 0.0005, 4


class Worker(ThreadWorker):
    def accept(self, listener: Any) -> None:
        """gunicorn calls it in every process at once when somebody connects, and whoever is first serves that client as
        long as it keeps its connection. Left to chance, one process had all of four clients that never pause, and the
        other none: a quarter fewer events a second."""
        if self.nr_conns and self.cfg.workers > 1:
            time.sleep(_YIELD_SECONDS * min(self.nr_conns, _YIELDS))
        super().accept(listener)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """gunicorn calls it in a thread of its own for each request; whether the connection can be used again."""
        reusable = super().handle_request(req, conn)
        drained = conn.parser.finish_body(deadline=time.monotonic() + _BODY_SECONDS, max_bytes=_BODY_BYTES)
        return bool(reusable and drained)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """gunicorn calls it for what it cannot read as a request, and answers by closing the connection."""
        if not isinstance(exc, LimitRequestLine | LimitRequestHeaders):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Refused a request: its address or its headers are too long")
        status = "414 URI Too Long" if isinstance(exc, LimitRequestLine) else "431 Request Header Fields Too Large"
        body = loader.get_template("414.html").render().encode()
        head = [
            f"HTTP/1.1 {status}",
            "Connection: close",
            "Content-Type: text/html; charset=utf-8",
            f"Content-Length: {len(body)}",
            "X-Content-Type-Options: nosniff",
            "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'",
        ]
        with suppress(OSError):
            client.settimeout(_DRAIN_SECONDS)
            client.sendall("\r\n".join([*head, "", ""]).encode("ascii") + body)
            client.shutdown(socket.SHUT_WR)
            # Closed with something unread, the connection would be reset and the page lost on its way.
            until = time.monotonic() + _DRAIN_SECONDS
            while time.monotonic() < until and client.recv(_DRAIN_BYTES):
                pass
