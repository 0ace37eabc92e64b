"""What is sent: one letter for everybody, written once (`analytics.reports.writing`) and kept. It says the same numbers
as text, as HTML and as files. Only the foot differs by recipient (`analytics.reports.envelopes`)."""

import base64
import json
import zlib
from dataclasses import dataclass

FOOT = "[[foot of this letter]]"


@dataclass(frozen=True, slots=True)
class Letter:
    """text and html hold FOOT where the foot goes; pictures: (content id, PNG); files: (name, type, bytes)."""

    subject: str
    text: str
    html: str
    pictures: tuple[tuple[str, bytes], ...]
    files: tuple[tuple[str, str, bytes], ...]

    def packed(self) -> bytes:
        """To be kept."""
        told = {
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "pictures": [(name, base64.b64encode(data).decode()) for name, data in self.pictures],
            "files": [(name, kind, base64.b64encode(data).decode()) for name, kind, data in self.files],
        }
        return zlib.compress(json.dumps(told, ensure_ascii=False).encode())

    @classmethod
    def unpacked(cls, kept: bytes) -> "Letter":
        """One that was kept."""
        told = json.loads(zlib.decompress(kept))
        return cls(
            told["subject"],
            told["text"],
            told["html"],
            tuple((name, base64.b64decode(data)) for name, data in told["pictures"]),
            tuple((name, kind, base64.b64decode(data)) for name, kind, data in told["files"]),
        )
