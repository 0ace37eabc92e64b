"""The printed manual of the rule language."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def test_the_manual_is_what_the_specification_prints():
    printed = subprocess.run(
        [sys.executable, PROJECT / "docs" / "print_rule_language.py"], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    written = (PROJECT / "docs" / "rule-language.md").read_text(encoding="utf-8")
    assert written == printed, "run: python docs/print_rule_language.py > docs/rule-language.md"
