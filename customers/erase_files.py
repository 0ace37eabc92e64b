"""Files that wait to be imported, or are being imported: what they say of somebody who is erased is looked for, too. A
row about the person is emptied, so that it still counts as a line, of nobody; an uploaded file is dropped whole."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from .importing.staging import content_as_file, forget_content
from .models import Import, ImportContent, ImportRows

PORTIONS_AT_ONCE = 50
_BLOCK = 1 << 20
_OVERLAP = 2_000  # longer than anything a person is looked for by
_PACKER, _UNPACKER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[tuple[int, list[str]]])
Speaks = Callable[[str], bool]


def empty_rows(*, speaks: Speaks, after: int) -> tuple[int | None, int]:
    """Empty the rows that speak of somebody in some portions after one; where to go on (None: through), how many."""
    portions = list(
        ImportRows.objects.select_for_update(no_key=True).filter(pk__gt=after).order_by("pk")[:PORTIONS_AT_ONCE]
    )
    emptied = 0
    for portion in portions:
        rows = _UNPACKER.decode(zlib.decompress(portion.packed))
        found = {number for number, cells in rows if speaks("\n".join(cells))}
        if found:
            kept = [(number, [""] * len(cells) if number in found else cells) for number, cells in rows]
            portion.packed = zlib.compress(_PACKER.encode(kept), 1)
            portion.save(update_fields=["packed"])
            emptied += len(found)
    return (portions[-1].pk if len(portions) == PORTIONS_AT_ONCE else None), emptied


def drop_uploads(*, speaks: Speaks, after: int) -> tuple[int | None, int]:
    """Look through the first upload after one (by the id of its import), and drop it if it speaks of somebody; where to
    go on (None: through), how many were dropped."""
    waiting = ImportContent.objects.filter(from_import__gt=after).order_by("from_import")
    number = waiting.values_list("from_import", flat=True).first()
    if number is None:
        return None, 0
    record = Import.objects.get(pk=number)
    with content_as_file(record) as path:
        is_found = any(speaks(text) for text in _texts(path))
    if is_found:
        with transaction.atomic():
            forget_content(record=record)
            said = _("Somebody in this file was erased meanwhile; upload one without that person.")
            Import.objects.filter(pk=number).update(state=Import.State.FAILED, error=said)
    return number, int(is_found)


def _texts(path: Path) -> Iterator[str]:
    """A file in stretches that overlap; of a workbook the texts of its parts."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield from _stretches(file)
        return
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            with book.open(name) as part:
                yield from _stretches(part)


def _stretches(file: Any) -> Iterator[str]:
    tail = b""
    while block := file.read(_BLOCK):
        whole = tail + block
        text = whole.decode("utf-8", "replace")
        yield text
        if text.count("\ufffd") > len(text) // 1000:
            yield whole.decode("utf-16" if whole[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "replace")
        tail = whole[-_OVERLAP:]
