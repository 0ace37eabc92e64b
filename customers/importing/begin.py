"""How an import begins: a file, how to read it, and since when what it says holds."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError

from ..models import Import, Source
from ..parsing import BadFile
from .guess import looked_at
from .mapping import RowMapping
from .presets import preset_of
from .staging import CONTENT, keep_content


def source_of(mapping: RowMapping) -> Source:
    """The source that a mapping names, made at its first file."""
    source, _is_new = Source.objects.get_or_create(
        key=mapping.source_key,
        defaults={"name": mapping.source_name, "kind": "file", "time_zone": mapping.time_zone},
    )
    return source


def blocks_of(path: Path) -> Iterator[bytes]:
    """A file in blocks; BadFile for one that cannot be read."""
    try:
        with path.open("rb") as file:
            while block := file.read(CONTENT):
                yield block
    except OSError as error:
        raise BadFile(path, f"cannot be read: {error.strerror or error}") from error


def fingerprint(path: Path) -> tuple[str, int]:
    """A file's hash and its size."""
    digest, size = hashlib.sha256(), 0
    for block in blocks_of(path):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


@transaction.atomic
def keep_file(
    *,
    blocks: Iterable[bytes],
    file_name: str,
    source: Source,
    document: Mapping[str, Any],
    now: datetime,
    kind: str = Import.Kind.ROWS,
    preset: str = "",
    author: Any = None,
) -> Import:
    """A draft of an import with its file, which nothing else needs afterwards."""
    record = Import.objects.create(
        source=source,
        kind=kind,
        preset=preset,
        file_name=file_name,
        file_sha256="",
        file_bytes=0,
        mapping=dict(document),
        state=Import.State.DRAFT,
        author=author,
        created_at=now,
    )
    keep_content(record=record, blocks=blocks)
    record.told_at = told_before(source=source, sha256=record.file_sha256) or now
    record.save(update_fields=["file_sha256", "file_bytes", "told_at"])
    return record


def told_before(*, source: Source, sha256: str) -> datetime | None:
    """Since when the same file of that source held, if it was imported before: the same said again is said of the same
    instant, so that it changes nothing."""
    same = Import.objects.filter(source=source, file_sha256=sha256).exclude(told_at=None)
    states = (Import.State.DONE, Import.State.RUNNING, Import.State.PAUSED, Import.State.CANCELLED, Import.State.FAILED)
    return same.filter(state__in=states).order_by("pk").values_list("told_at", flat=True).first()


def begun_before(*, source: Source, sha256: str, document: Mapping[str, Any]) -> Import | None:
    """An import of the same file, read the same way, that has not come to its end."""
    states = (Import.State.RUNNING, Import.State.PAUSED, Import.State.FAILED, Import.State.WAITING)
    same = Import.objects.filter(source=source, file_sha256=sha256, mapping=dict(document), state__in=states)
    return same.order_by("-pk").first()


def keep_upload(
    *, blocks: Iterable[bytes], file_name: str, preset: str, now: datetime, author: Any = None, key: str = ""
) -> Import:
    """A draft of a file that somebody gave, with what its beginning shows of how to read it. BadFile if it cannot be
    read at all; QuestionError for a preset that is none."""
    if preset and preset_of(preset) is None:
        raise QuestionError("preset", _("There is no such kind of file."))
    name = Path(file_name.replace("\0", "")).name[:200] or "file"
    with tempfile.TemporaryDirectory(prefix="clm-import-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            for block in blocks:
                file.write(block)
        looked = looked_at(path=path, file_name=name, preset=preset, key=key)
        kind = looked.document.get("kind", Import.Kind.ROWS)
        source = named_source(looked.document)
        return keep_file(
            blocks=blocks_of(path),
            file_name=name,
            source=source,
            document=looked.document,
            now=now,
            kind=kind,
            preset=looked.preset.key if looked.preset else "",
            author=author,
        )


def named_source(document: Mapping[str, Any]) -> Source:
    """The source that a document names, whatever else is wrong with it."""
    told = document["source"]
    source, _is_new = Source.objects.get_or_create(
        key=told["key"], defaults={"name": str(told.get("name") or told["key"])[:100], "kind": "file"}
    )
    return source
