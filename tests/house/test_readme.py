"""What the README tells a newcomer to type does what it says, on a machine where nothing was done before."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from clm.embedded.servers import Embedded
from tests.embedded.conftest import PROJECT, query, room  # noqa: F401 (a fixture)
from tests.house.test_operations import Shell

README = (PROJECT / "README.md").read_text()
OWN = README[README.index("## Bring your own orders") : README.index("## Run it for real")]
COMMANDS = re.findall(r"^\.venv/bin/python manage\.py .+$", OWN, re.MULTILINE)
(MAPPING,) = re.findall(r"```json\n(.*?)```", OWN, re.DOTALL)
ORDERS = """Order,SKU,Qty,Unit price,Created at,Customer ID
1,P1,2,3.50,2025-03-01T10:00:00,Anna
2,P2,1,9.00,2025-04-01T10:00:00,Ben
"""


def test_own_orders_come_into_an_installation_without_the_demo(room: Path) -> None:  # noqa: F811
    folder = room / "work"
    folder.mkdir(mode=0o777)
    servers = Embedded(room / "data", fast=True)
    shell = Shell(room / "data", folder, servers)
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "shop.json").write_text(MAPPING)
    try:
        assert [command.split()[2] for command in COMMANDS] == ["configure", "import_file"]
        servers.ensure_postgres()  # kept up between the commands; its tables are made by the first of them
        assert "currency        GBP" in shell.run("private", COMMANDS[0])
        said = shell.run("private", COMMANDS[1])
        assert "2 lines = 2 used + 0 set aside" in said
        assert "ATTENTION" not in said
        assert query(servers, "SELECT count(*) FROM customers_customer") == [(2,)]
    finally:
        servers.stop(force=True)


@pytest.mark.parametrize("example", re.findall(r"`(manage\.py [a-z_]+[^`]*)`", README))
def test_every_command_that_is_named_exists(example: str) -> None:
    name, *words = shlex.split(example)[1:]
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    options = {word for word in words if word.startswith("--")}
    assert options <= {option for action in parser._actions for option in action.option_strings}
