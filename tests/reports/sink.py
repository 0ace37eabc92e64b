"""A real mail server that keeps what it takes, and answers as a test says."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Sink:
    """What it took: recipient and mail, in order. replies: by step (RCPT, DATA, END) what it answers to each address
    instead, as a list that is used up from the front; hangs: at these steps it never answers; reached: set when it
    hangs."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    replies: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    drops: set[str] = field(default_factory=set)
    reached: threading.Event = field(default_factory=threading.Event)
    seen: list[str] = field(default_factory=list)

    def answer(self, step: str, address: str, *texts: str) -> None:
        self.replies.setdefault((step, address), []).extend(texts)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for one, mail in self.mails if one == address]


class _Handler:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def _step(self, step: str, address: str, server: Any) -> str | None:
        self._sink.seen.append(f"{step} {address}")
        if step in self._sink.hangs:
            self._sink.reached.set()
            await asyncio.sleep(3_600)
        if step in self._sink.drops:
            server.transport.close()
            return "421 gone"
        waiting = self._sink.replies.get((step, address))
        return waiting.pop(0) if waiting else None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        refused = await self._step("RCPT", address, server)
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """The mail is here, its end included; whatever is answered now, we have it."""
        (address,) = envelope.rcpt_tos
        waiting = self._sink.replies.get(("END", address))
        refused = waiting.pop(0) if waiting else None
        if refused is None:
            self._sink.raw.append(envelope.content)
            self._sink.mails.append((address, message_from_bytes(envelope.content, policy=default)))  # type: ignore[arg-type]
        await self._step("TAKEN", address, server)
        return refused or "250 Taken"


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[Sink]:
    """A mail server on this machine, on a port that is free."""
    sink = Sink()
    controller = _AnyPort(_Handler(sink), hostname="127.0.0.1", port=0, ready_timeout=20)
    controller.start()
    sink.port = controller.port
    try:
        yield sink
    finally:
        controller.stop(no_assert=True)
