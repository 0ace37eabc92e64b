"""An operator finds every variable in docs/operations.md, and none there that does nothing."""

import re

from django.conf import settings

READ = re.compile(r"""\benv\.\w+\(\s*"([A-Z_]+)\"""")
SHOWN = re.compile(r"`([A-Z][A-Z_]+)`")


def test_every_environment_variable_is_documented_and_every_documented_one_is_read():
    read = set(READ.findall((settings.BASE_DIR / "clm" / "settings.py").read_text()))
    table = [
        line for line in (settings.BASE_DIR / "docs" / "operations.md").read_text().splitlines() if line[:2] == "| "
    ]
    assert {name for line in table for name in SHOWN.findall(line.split("|")[1])} == read
