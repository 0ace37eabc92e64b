"""What `make soak` adds to pytest: a test marked `lasting` is repeated, set up anew each time, until its share of the
time of its kind has gone or it fails; in the end stands what was done."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.runner import CallInfo, runtestprotocol
from django.conf import settings
from hypothesis.statistics import collector

from tests.lasting import MINUTES, SHARE

ONCE = "once"


@dataclass
class Kind:
    """What was done of one kind: tests, how often they were run, what they tried, for how long, how many failed, and
    what they said of themselves (`record_property("seen", ...)`)."""

    tests: int = 0
    rounds: int = 0
    examples: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


DONE: dict[str, Kind] = defaultdict(Kind)
EXAMPLES = pytest.StashKey[int]()


def kind_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("lasting")
    return str(marker.args[0]) if marker and marker.args else ONCE


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By now only those are left that will be run. A kind's time is divided among its tests."""
    sizes = Counter(map(kind_of, items))
    for item in items:
        if (kind := kind_of(item)) != ONCE:
            item.stash[SHARE] = MINUTES * 60 / sizes[kind]


def pytest_collection_finish(session: pytest.Session) -> None:
    kinds = Counter(map(kind_of, session.items))
    lasting = [kind for kind in kinds if kind != ONCE]
    said = ", ".join(f"{kind} ({kinds[kind]})" for kind in sorted(lasting))
    tell(session.config, f"{MINUTES:g} minutes for each of {said}; {kinds[ONCE]} tests once each")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    began, kind = time.monotonic(), DONE[kind_of(item)]
    rounds, item.stash[EXAMPLES] = 0, 0
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    while True:
        rounds += 1
        round_began = time.monotonic()
        # A test that will be run again gives back what it alone was given, and keeps what its module shares.
        reports = runtestprotocol(item, log=False, nextitem=item.parent)
        now = time.monotonic()
        is_last = now + (now - round_began) / 2 >= began + item.stash.get(SHARE, 0)
        if is_last or any(not report.passed for report in reports):
            break
    # What the module shares goes when the next test is of another one.
    ended = CallInfo.from_call(lambda: item.session._setupstate.teardown_exact(nextitem), when="teardown")
    reports.append(item.ihook.pytest_runtest_makereport(item=item, call=ended))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    kind.tests += 1
    kind.rounds += rounds
    kind.examples += item.stash[EXAMPLES]
    kind.seconds += now - began
    kind.findings += [item.nodeid] if any(report.failed for report in reports) else []
    kind.seen += [f"{item.name}: {value}" for name, value in item.user_properties if name == "seen"]
    tell(item.config, f"  {rounds} rounds, {item.stash[EXAMPLES]} examples, {now - began:.0f} s")
    return True


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Count what Hypothesis tries, within what its own plugin does around a test."""
    theirs = collector.value

    def note(statistics: dict[str, Any]) -> None:
        item.stash[EXAMPLES] += sum(
            len(phase["test-cases"])
            for phase in statistics.values()
            if isinstance(phase, dict) and "test-cases" in phase
        )
        if theirs is not None:
            theirs(statistics)

    with collector.with_value(note):
        yield
    item.stash[EXAMPLES] += sum(int(value) for name, value in item.user_properties if name == "examples")
    item.user_properties[:] = [one for one in item.user_properties if one[0] != "examples"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table for whoever waited, and beside the tests' data for whoever writes it down."""
    terminalreporter.section("soak")
    terminalreporter.write_line(f"{'kind':<12}{'tests':>7}{'rounds':>8}{'examples':>10}{'seconds':>9}{'findings':>10}")
    for name, kind in sorted(DONE.items()):
        figures = f"{kind.tests:>7}{kind.rounds:>8}{kind.examples:>10}{kind.seconds:>9.0f}{len(kind.findings):>10}"
        terminalreporter.write_line(f"{name:<12}{figures}")
    for name, kind in sorted(DONE.items()):
        for said in [*kind.seen, *(f"found: {finding}" for finding in kind.findings)]:
            terminalreporter.write_line(f"{name}: {said}")
    path = settings.DATA_DIR / "soak.json"
    path.write_text(json.dumps({name: vars(kind) for name, kind in DONE.items()}, indent=1))


def tell(config: pytest.Config, line: str) -> None:
    if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
        reporter.ensure_newline()
        reporter.write_line(line)
