"""Handing one mail to the mail server, step by step, so that whoever hands it over can write down that the mail itself
is about to leave before its first byte does. What the server answers is told as it is: nothing raises for it.

With another backend than SMTP (a file, a test) there are no steps: the mail is about to leave when it is handed
over."""

import smtplib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage as Mail
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

SENT, LATER, REFUSED, UNKNOWN, TAKEN_AWAY = "sent", "later", "refused", "unknown", "taken away"
LONGEST_WORDS = 500
_PERMANENT, _CLOSING = 5, 421


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a mail. kind: SENT (the server took it), LATER (not taken, worth another try), REFUSED (not taken,
    for good), UNKNOWN (it left, and no answer came: it may have arrived or not), TAKEN_AWAY (it was not ours to send
    any more, and nothing left). code, words: of the server, as it said them; words alone where it said nothing."""

    kind: str
    code: int | None = None
    words: str = ""


class Post:
    """A connection to the mail server, opened by the first mail. seconds: the longest that one step may take."""

    def __init__(self, *, seconds: float) -> None:
        self._backend: Any = get_connection(timeout=seconds)

    def hand_over(self, mail: Mail, *, sender: str, to: str, about_to_leave: Callable[[], bool]) -> Answer:
        """Send one mail from one bare address to another. about_to_leave: called once, after the server has accepted
        sender and recipient and before it gets the mail; whether the mail is still ours to send."""
        if not isinstance(self._backend, EmailBackend):
            return self._without_steps(mail, sender=sender, to=to, about_to_leave=about_to_leave)
        try:
            self._backend.open()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Answer(LATER, *_said(error))
        dialog: Any = self._backend.connection
        try:
            dialog.ehlo_or_helo_if_needed()
            for step, words in (("mail", sender), ("rcpt", to)):
                code, reply = getattr(dialog, step)(words)
                if code not in (250, 251):
                    return self._not_taken(code, reply)
            dialog.putcmd("data")
            code, reply = dialog.getreply()
            if code != 354:
                return self._not_taken(code, reply)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Answer(LATER, *_said(error))
        if not about_to_leave():
            # The server waits for a mail; without its end there is none.
            self._drop()
            return Answer(TAKEN_AWAY)
        try:
            dialog.send(_ended(mail))
            code, reply = dialog.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer(UNKNOWN, *_said(error))
        if code == 250:
            return Answer(SENT, code, _text(reply))
        if code not in range(400, 600):
            self._drop()
            return Answer(UNKNOWN, code, _text(reply))
        return self._not_taken(code, reply)

    def close(self) -> None:
        """Take leave."""
        with suppress(OSError, smtplib.SMTPException):
            self._backend.close()
        if isinstance(self._backend, EmailBackend):
            self._drop()

    def _not_taken(self, code: int, reply: bytes) -> Answer:
        if code in (_CLOSING, -1):
            self._drop()
        else:
            try:
                self._backend.connection.rset()
            except (OSError, smtplib.SMTPException):
                self._drop()
        return Answer(REFUSED if code // 100 == _PERMANENT else LATER, code, _text(reply))

    def _drop(self) -> None:
        """Close the connection without a word; the next mail opens another one."""
        dialog, self._backend.connection = self._backend.connection, None
        if dialog is not None:
            with suppress(OSError):
                dialog.close()

    def _without_steps(self, mail: Mail, *, sender: str, to: str, about_to_leave: Callable[[], bool]) -> Answer:
        if not about_to_leave():
            return Answer(TAKEN_AWAY)
        try:
            taken = self._backend.send_messages([_Whole(mail, sender, to)])
        except (OSError, smtplib.SMTPException) as error:
            return Answer(UNKNOWN, *_said(error))
        return Answer(SENT if taken is None or taken else UNKNOWN)


class _Whole(EmailMessage):
    """A mail that is written already, for backends that take Django's."""

    def __init__(self, mail: Mail, sender: str, to: str) -> None:
        super().__init__(subject=str(mail["Subject"]), from_email=sender, to=[to])
        self._mail = mail

    def message(self, **_options: Any) -> Any:
        return self._mail


def _ended(mail: Mail) -> bytes:
    """The mail as it goes over the wire (its policy is SMTP's): lines end with CRLF, a dot that begins one is doubled,
    a dot alone ends it."""
    lines = mail.as_bytes().split(b"\r\n")
    while lines and not lines[-1]:
        lines.pop()
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n"


def _said(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code, _text(error.smtp_error)
    if isinstance(error, TimeoutError):
        return None, "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return None, "the connection was refused"
    return None, f"the connection broke ({type(error).__name__})"


def _text(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.replace("\x00", "").split())[:LONGEST_WORDS]
