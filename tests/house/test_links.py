"""Documents point at what is there: files, headings and make targets."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("bench/*.md")])
NAMES = [str(path.relative_to(PROJECT)) for path in DOCUMENTS]
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


def headings(path: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in found}


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_link_leads_somewhere(path: Path):
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", target):
            continue
        name, _, heading = target.partition("#")
        found = path.parent / name if name else path
        if not found.exists() or (heading and heading not in headings(found)):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_make_target_that_is_named_exists(path: Path):
    assert set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", path.read_text(), re.MULTILINE)) - TARGETS == set()
