"""Where a file waits in the database: as it was uploaded, and then as portions of rows. What is stored in one
transaction is one portion, so that any process can go on where another was killed, without reading the file again."""

import hashlib
import itertools
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from django.db import transaction

from ..models import Import, ImportContent, ImportRows

CONTENT = 1 << 20  # bytes of a file in one part
PORTION = 2_000  # rows stored in one transaction
LONGEST = 4 << 20  # characters in them, so that a file of long texts takes no more memory than one of short ones
TOGETHER = 20  # portions written in one transaction
_PACKER, _UNPACKER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[tuple[int, list[str]]])

Rows = Iterable[tuple[int, list[str]]]


def keep_content(*, record: Import, blocks: Iterable[bytes]) -> None:
    """Keep a file as it comes in, and note its size and its hash; in the caller's transaction."""
    digest, size, number = hashlib.sha256(), 0, 0
    for block in blocks:
        for start in range(0, len(block), CONTENT):
            part = block[start : start + CONTENT]
            digest.update(part)
            size += len(part)
            ImportContent.objects.create(from_import=record, number=number, packed=zlib.compress(part, 1))
            number += 1
    record.file_sha256, record.file_bytes = digest.hexdigest(), size


@contextmanager
def content_as_file(record: Import, *, most: int | None = None) -> Iterator[Path]:
    """The file of an import for as long as somebody reads it, under its own name; `most`: its first parts only."""
    with tempfile.TemporaryDirectory(prefix="clm-import-") as folder:
        path = Path(folder) / (Path(record.file_name.replace("\0", "")).name[-200:] or "file")
        parts = ImportContent.objects.filter(from_import=record).order_by("number")
        with path.open("wb") as file:
            for packed in (parts if most is None else parts[:most]).values_list("packed", flat=True).iterator(4):
                file.write(zlib.decompress(packed))
        yield path


def stage_rows(*, record: Import, rows: Rows, tell: Callable[[int], None]) -> int:
    """Put the rows of a file into portions, afresh; how many there are. `tell` hears of every some thousand."""
    forget_rows(record=record)
    count = 0
    # Packed one by one: what waits to be written together is small.
    portions = (
        ImportRows(from_import=record, number=number, rows=len(some), packed=zlib.compress(_PACKER.encode(some), 1))
        for number, some in enumerate(_portions(rows), start=1)
    )
    while together := list(itertools.islice(portions, TOGETHER)):
        with transaction.atomic():
            ImportRows.objects.bulk_create(together)
        count += sum(one.rows for one in together)
        tell(count)
    return count


def _portions(rows: Rows) -> Iterator[list[tuple[int, list[str]]]]:
    some: list[tuple[int, list[str]]] = []
    size = 0
    for line, cells in rows:
        some.append((line, cells))
        size += sum(map(len, cells))
        if len(some) >= PORTION or size >= LONGEST:
            yield some
            some, size = [], 0
    if some:
        yield some


def packed_portion(*, record: Import, number: int) -> bytes | None:
    """One portion as it is kept; None beyond the last."""
    found = ImportRows.objects.filter(from_import=record, number=number).values_list("packed", flat=True).first()
    return None if found is None else bytes(found)


def unpacked(packed: bytes) -> list[tuple[int, list[str]]]:
    """The rows of a portion. Asks the database nothing."""
    return _UNPACKER.decode(zlib.decompress(packed))


def portion(*, record: Import, number: int) -> list[tuple[int, list[str]]] | None:
    """The rows of one portion; None beyond the last."""
    found = packed_portion(record=record, number=number)
    return None if found is None else unpacked(found)


def portions(*, record: Import) -> Iterator[list[tuple[int, list[str]]]]:
    """All of them in order."""
    number = 1
    while (some := portion(record=record, number=number)) is not None:
        yield some
        number += 1


def forget_rows(*, record: Import) -> None:
    """Drop the portions, a few at a time: what many rows lie in is not deleted in one breath."""
    while numbers := list(ImportRows.objects.filter(from_import=record).values_list("pk", flat=True)[:200]):
        ImportRows.objects.filter(pk__in=numbers).delete()


def forget_content(*, record: Import) -> None:
    """Drop the file as it was uploaded."""
    while numbers := list(ImportContent.objects.filter(from_import=record).values_list("pk", flat=True)[:200]):
        ImportContent.objects.filter(pk__in=numbers).delete()
