"""Every command that works on data finds its tables: made by itself on a fresh data directory (tests/house/test_up.py),
asked for in one line on a server of the operator's own."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import get_commands, load_command_class

from clm.embedded.servers import Embedded
from clm.lib.prepared_command import PreparedCommand
from tests.embedded.conftest import PROJECT, query
from tests.embedded.test_surroundings import program

ROOMS = ("clm", "customers", "lifecycle", "campaigns", "analytics")
OURS = {name: app for name, app in get_commands().items() if str(app).partition(".")[0] in ROOMS}
# They prepare what they need, or work on servers and not on data.
OTHERS = {"up", "prepare", "embedded"}
# What each is called with; a new command that is not named here is called with nothing.
ARGUMENTS = {
    "create_key": ["--role", "viewer", "--name", "n"],
    "demo": ["--file", "none.csv"],
    "import_file": ["none.csv", "--mapping", "online_retail"],
    "import_rates": [str(Path(__file__).parent / "rates.csv")],
    "kept_message": ["web", "1"],
    "load_segment": [str(PROJECT / "package.json"), "--key", "x"],
    "pulse": ["tick"],
    "simulate": ["--customers", "5"],
}
CALL_ALL = """
import json, sys, django
django.setup()
from django.core.management import CommandError, call_command
said = {}
for name, arguments in json.loads(sys.argv[1]).items():
    try:
        call_command(name, *arguments)
    except CommandError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def called(**env: str) -> dict[str, str]:
    """What each command refuses with, by its name."""
    every = {name: ARGUMENTS.get(name, []) for name in OURS.keys() - OTHERS}
    done = program(Path("/nowhere"), "-c", CALL_ALL, json.dumps(every), SECRET_KEY="x" * 50, **env)
    assert done.returncode == 0, done.stderr
    refused: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    assert refused.keys() == every.keys(), "these were not refused"
    return refused


@pytest.mark.parametrize("name", sorted(OURS.keys() - OTHERS))
def test_every_command_on_data_sees_to_its_tables(name: str) -> None:
    assert isinstance(load_command_class(OURS[name], name), PreparedCommand)


def test_a_database_of_ones_own_without_tables_is_left_alone_and_the_command_that_helps_is_named(
    embedded: Embedded,
) -> None:
    embedded.ensure_postgres()
    address = f"postgres://postgres@{quote(str(embedded.places.sockets), safe='')}/postgres"
    for said in called(DATABASE_URL=address, REDIS_URL="redis://127.0.0.1:1/0").values():
        assert said.endswith("This command helps: manage.py prepare")
        assert "\n" not in said
    assert query(embedded, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_without_a_database_each_command_says_so_in_one_line() -> None:
    for name, said in called(DATABASE_URL="postgres://clm@127.0.0.1:1/clm", REDIS_URL="redis://127.0.0.1:1/0").items():
        assert said.startswith("The database does not answer: "), name
        assert "\n" not in said
