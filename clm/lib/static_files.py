"""Which files the web server hands out: the project's own, and from packages only those that pages use.

The npm packages and the Swagger UI carry megabytes that no page asks for. Each file collected is copied, hashed and
compressed, so what settings do not name does not exist for a browser."""

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder, BaseFinder, get_finders
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class NamedFilesFinder(BaseFinder):
    """Finds the files of settings.STATIC_PACKAGES, a map from a prefix to (directory, names inside it), under
    `prefix/name`."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.files: dict[str, tuple[str, FileSystemStorage]] = {}
        for prefix, (root, names) in settings.STATIC_PACKAGES.items():
            storage = FileSystemStorage(location=root)
            storage.prefix = prefix  # type: ignore[attr-defined]  # collectstatic puts it before the name
            self.files.update({f"{prefix}/{name}": (name, storage) for name in names})

    def check(self, **_: Any) -> list[CheckMessage]:
        missing = [path for path, (name, storage) in self.files.items() if not storage.exists(name)]
        if not missing:
            return []
        return [
            Error(f"Front-end files are missing: {', '.join(missing)}.", hint="make packages", id="clm.static.E001")
        ]

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        name, storage = self.files.get(path, ("", None))
        found = storage.path(name) if storage is not None and storage.exists(name) else None
        # Django takes an empty list, not None, for "not here".
        return ([found] if find_all else found) if found else []

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for name, storage in self.files.values():
            if not matches_patterns(name, ignore_patterns):
                yield name, storage


class NamedAppFilesFinder(AppDirectoriesFinder):
    """Finds the files of Python packages that a pattern of settings.STATIC_APP_FILES names."""

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for path, storage in super().list(ignore_patterns):
            if _named(path):
                yield path, storage

    def find_in_app(self, app: str, path: str) -> Any:
        return super().find_in_app(app, path) if _named(path) else None


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed copies, also where a module of JavaScript imports another. Comments that name a
    source map are left as they are: the maps are not shipped, and only somebody debugging a library would miss them."""

    support_js_module_import_aggregation = True
    patterns = tuple(
        (extension, tuple(one for one in found if "sourceMappingURL" not in (one if isinstance(one, str) else one[0])))
        for extension, found in HashedFilesMixin.patterns
    )


def static_fingerprint() -> str:
    """A hash that changes when a static file is added, removed or written, so that collecting can be left out."""
    found = {
        f"{getattr(storage, 'prefix', None) or ''}/{path}": Path(storage.path(path)).stat()
        for finder in get_finders()
        for path, storage in finder.list(["CVS", ".*", "*~"])
    }
    lines = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in sorted(found.items())]
    return hashlib.sha256("\n".join([settings.STORAGES["staticfiles"]["BACKEND"], *lines]).encode()).hexdigest()


def _named(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in settings.STATIC_APP_FILES)
