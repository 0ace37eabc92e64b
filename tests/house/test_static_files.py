"""The files that the web server hands out, collected as an installation does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command
from django.test import override_settings

from clm.lib.static_files import Storage

IMPORTED = re.compile(r"""^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];""", re.MULTILINE)


class Uncompressed(Storage):
    """Compressing takes ten seconds and renames nothing."""

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:
        return ManifestStaticFilesStorage.post_process(self, *args, **options)


def test_modules_import_each_other_by_the_names_that_are_handed_out(tmp_path: Path) -> None:
    stores = {**settings.STORAGES, "staticfiles": {"BACKEND": f"{__name__}.Uncompressed"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=stores):
        call_command("collectstatic", interactive=False, verbosity=0)
    handed_out = {
        (tmp_path / name).resolve()
        for name in json.loads((tmp_path / "staticfiles.json").read_text())["paths"].values()
    }
    found = [
        (file.parent / name).resolve()
        for file in sorted(handed_out)
        if file.suffix == ".js"
        for name in IMPORTED.findall(file.read_text())
    ]
    assert len(found) >= 5
    assert not set(found) - handed_out
