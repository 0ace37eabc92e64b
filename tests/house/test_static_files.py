"""Pages name only files that are shipped, and nothing else is."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import find, get_finders

NAMED = re.compile(r"""\{%\s*static\s+['"]([^'"]+)['"]""")


def templates() -> list[Path]:
    return sorted((settings.BASE_DIR / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", templates(), ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_every_file_a_template_names_is_found(template):
    assert [name for name in NAMED.findall(template.read_text()) if find(name) is None] == []


def test_only_named_files_of_packages_are_shipped():
    shipped = {
        f"{getattr(storage, 'prefix', None) or ''}/{path}"
        for finder in get_finders()
        for path, storage in finder.list([])
    }
    assert "vendor/echarts/echarts.min.js" in shipped
    assert not [path for path in shipped if path.endswith(".map") or "redoc" in path or "jquery" in path]
    assert len([path for path in shipped if path.startswith("vendor/")]) == 9
