"""In which order the files of the suite begin, and the tests within one."""

from collections import Counter
from collections.abc import Sequence

import pytest

# Files that take longest, longest first. A file is one worker's (`--dist loadfile`), and one of them begun last would
# be waited for by everybody else. The order changes nothing but that: a file may come or go without being named here.
SLOW = (
    "tests/pages/test_people.py",
    "tests/pages/test_every_page.py",
    "tests/house/test_up.py",
    "tests/house/test_operations.py",
    "tests/customers/test_import_online_retail.py",
    "tests/analytics/days/test_packs.py",
    "tests/analytics/days/test_fill.py",
    "tests/api/test_contract.py",
    "tests/lifecycle/rules/test_stage_agreement.py",
    "tests/lifecycle/rules/test_agreement.py",
    "tests/house/test_containers_run.py",
    "tests/pages/test_addresses.py",
    "tests/api/test_every_route.py",
    "tests/pages/test_segments.py",
    "tests/pages/test_builder.py",
    "tests/pages/test_empty.py",
    "tests/pages/test_parts.py",
    "tests/pages/test_acts.py",
    "tests/pages/test_models.py",
    "tests/analytics/simulator/test_shop.py",
    "tests/analytics/simulator/test_command.py",
    "tests/customers/test_import_kill.py",
    "tests/embedded/test_database_away.py",
    "tests/house/test_postgresql_15.py",
    "tests/lifecycle/test_permutation.py",
    "tests/embedded/test_servers.py",
    "tests/customers/test_merge.py",
    "tests/lifecycle/test_many_segments.py",
    "tests/house/test_readme.py",
    "tests/receiving/test_storm.py",
    "tests/receiving/test_clients.py",
    "tests/receiving/test_fuzz.py",
    "tests/analytics/test_promises_on_the_demo.py",
    "tests/analytics/test_demo.py",
    "tests/embedded/test_settings.py",
    "tests/lifecycle/test_known_at.py",
    "tests/lifecycle/test_identity_programs.py",
    "tests/analytics/days/test_members_and_falls.py",
    "tests/analytics/value/test_scoring.py",
)


def in_order(items: Sequence[pytest.Item], written: dict[pytest.Item, int]) -> list[pytest.Item]:
    """The tests, file by file: those of SLOW first, then those with most tests. Within a file as they are `written`,
    but for what pytest-django asks for: tests that commit after those that do not.

    pytest itself would run all tests of the suite that share a browser one after the other, and so begin a file with
    those of its tests that somebody wrote last; what they leave behind would be there before it was made."""
    sizes = Counter(_file(item) for item in items)
    slow = {name: place for place, name in enumerate(SLOW)}
    return sorted(
        items,
        key=lambda item: (
            slow.get(_file(item), len(slow)),
            -sizes[_file(item)],
            _file(item),
            _commits(item),
            written[item],
        ),
    )


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in getattr(item, "fixturenames", ())
