"""Sending a body to an address that somebody else named: to a checked machine (`clm.lib.reachable`), within a time
limit for everything together, following nothing, reading no more of the answer than is shown."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .reachable import Address, Network, Target, UnreachableError, parse_target, resolved

READ = 4_096  # bytes of an answer that are read at most
_EXCERPT = 1_000


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of sending. status None: there was no answer, and `trouble` says why in a few words without anything
    the other side wrote. excerpt: the beginning of the answer. retry_after: its header of that name, "" without one."""

    status: int | None
    trouble: str = ""
    excerpt: str = ""
    retry_after: str = ""
    milliseconds: int = 0


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were checked, under the name that was asked for."""

    def __init__(self, target: Target, addresses: Sequence[Address], seconds: float, tls: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._until = time.monotonic() + seconds
        # The connection forgets its socket when the answer begins; this one is still read from.
        self.opened: socket.socket | None = None
        self._target, self._addresses, self._tls = target, addresses, tls

    def connect(self) -> None:
        error: OSError = OSError("no address")
        for address in self._addresses:
            try:
                left = max(0.05, self._until - time.monotonic())
                self.sock = socket.create_connection((str(address), self._target.port), left)
                break
            except OSError as refused:
                error = refused
        else:
            raise error
        self.opened = self.sock
        if self._target.scheme == "https":
            self.sock = self.opened = self._tls.wrap_socket(self.sock, server_hostname=self._target.host)


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    seconds: float,
    allowed: Sequence[Network] = (),
    ca_file: str = "",
) -> Answered:
    """POST once. Never raises for what the other side or the network does."""
    began = time.monotonic()

    def since() -> int:
        return int((time.monotonic() - began) * 1000)

    over = threading.Event()
    try:
        target = parse_target(url, allowed=allowed)
        tls = ssl.create_default_context()
        if ca_file:
            tls.load_verify_locations(ca_file)
        addresses = resolved(target, allowed=allowed)
        connection = _Pinned(target, addresses, seconds, tls)

        def end() -> None:
            # A socket's own limit begins anew with every byte; this one is for all of them together.
            over.set()
            if connection.opened is not None:
                with contextlib.suppress(OSError):
                    # Not that of SSLSocket, which takes the session away from whoever reads.
                    socket.socket.shutdown(connection.opened, socket.SHUT_RDWR)

        watch = threading.Timer(seconds, end)
        watch.daemon = True
        watch.start()
        try:
            connection.request(
                "POST",
                target.path,
                body,
                {"Host": target.host_header, "Connection": "close", "Content-Length": str(len(body)), **headers},
            )
            answer = connection.getresponse()
            text = answer.read(READ)
            if over.is_set():
                raise TimeoutError
            return Answered(
                status=answer.status,
                excerpt=text.decode("utf-8", "replace").replace("\x00", "")[:_EXCERPT],
                retry_after=(answer.headers.get("Retry-After") or "")[:60],
                milliseconds=since(),
            )
        finally:
            watch.cancel()
            connection.close()
    except UnreachableError as error:
        return Answered(None, str(error), milliseconds=since())
    except TimeoutError:
        return Answered(None, f"no answer within {seconds:g} s", milliseconds=since())
    except ssl.SSLCertVerificationError as error:
        return Answered(None, f"the certificate is not valid: {error.verify_message}"[:200], milliseconds=since())
    except (OSError, http.client.HTTPException) as error:
        said = f"no answer within {seconds:g} s" if over.is_set() else _said(error)
        return Answered(None, said, milliseconds=since())


def _said(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, ssl.SSLError):
        return "no secure connection came about"
    if isinstance(error, http.client.HTTPException):
        return f"the answer is not HTTP ({type(error).__name__})"
    return f"the connection broke ({type(error).__name__})"
