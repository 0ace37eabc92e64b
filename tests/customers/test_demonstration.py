"""Whoever brings in orders of their own is told when the demo's or simulated customers are in the same installation."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from clm.lib.access.models import Role
from customers.demonstration import demonstration_sources
from customers.models import Import, Installation, Source
from tests.customers.order_files import bring_in, line, mapping, write
from tests.factories import client_of, make_user

pytestmark = pytest.mark.django_db
SAID = "The customers of Online Retail"


@pytest.fixture
def own(tmp_path: Path) -> tuple[str, str]:
    """A file of one's own and its mapping."""
    Installation.objects.create(currency="GBP")
    document = {**mapping().document, "source": {"key": "shop", "name": "Our shop"}}
    (tmp_path / "shop.json").write_text(json.dumps(document))
    return str(write(tmp_path, line("1"), name="own.csv")), str(tmp_path / "shop.json")


def test_orders_of_ones_own_beside_the_demo_are_warned_of_before_and_after(
    own: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_in(write(tmp_path, line("2"), name="demo.csv"))
    call_command("import_file", own[0], mapping=own[1])
    said = capsys.readouterr().out
    assert said.count(SAID) == 2
    assert said.index(SAID) < said.index("1 line = 1 used") < said.rindex(SAID)
    assert "make run DEMO=0" in said
    record = Import.objects.get(source__key="shop")
    assert SAID in client_of("admin").get(f"/api/v1/imports/{record.pk}/").json()["warning"]
    admin = Client()
    admin.force_login(make_user(Role.ADMIN))
    assert SAID in admin.get(f"/system/imports/{record.pk}/").content.decode()


def test_alone_or_as_part_of_the_demo_nothing_is_said(
    own: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_file", own[0], mapping=own[1])
    assert "ATTENTION" not in capsys.readouterr().out
    record = bring_in(write(tmp_path, line("2"), name="demo.csv")).record
    assert demonstration_sources(beside=record.source.key) == []
    assert client_of("admin").get(f"/api/v1/imports/{record.pk}/").json()["warning"] == ""


def test_a_source_that_is_simulated_and_has_sent_nothing_is_nobodys_neighbour(own: tuple[str, str]) -> None:
    Source.objects.create(key="made-up-spend", name="Made-up spend", is_simulated=True)
    assert demonstration_sources(beside="shop") == []
