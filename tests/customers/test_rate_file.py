"""Files of exchange rates: looked at before anything is written, entered whole or not at all."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clm.lib.questions import QuestionError
from customers.models import ExchangeRate
from customers.rate_file import checked, enter_lines
from customers.rates import enter_rate

pytestmark = pytest.mark.django_db


def stored() -> list[tuple[str, date, Decimal]]:
    rows = ExchangeRate.objects.order_by("currency", "day").values_list("currency", "day", "rate")
    return [(currency, day, rate.normalize()) for currency, day, rate in rows]


@pytest.mark.parametrize(
    "text",
    [
        "currency,day,rate\nusd,2026-01-01,0.85\nGBP,02.01.2026,1.15\n",
        "\ufeffDay;Currency;Rate\n2026-01-01;USD;0,85\n2026-01-02;GBP;1,15\n",
        "Date,USD,GBP,\n2026-01-01,0.85,N/A,\n2026-01-02,,1.15,\n",
        "GBP\tdate\tUSD\n\t2026-01-01\t0,85\n1,15\t2026-01-02\t-\n",
    ],
    ids=["a line a rate", "semicolons and decimal commas", "a column a currency", "tabs"],
)
def test_both_shapes_say_the_same(text: str) -> None:
    assert enter_lines(text=text, source="bank")[:2] == (2, 0)
    assert stored() == [
        ("GBP", date(2026, 1, 2), Decimal("1.15")),
        ("USD", date(2026, 1, 1), Decimal("0.85")),
    ]


def test_each_rate_says_what_entering_it_does() -> None:
    enter_rate(currency="USD", day=date(2026, 1, 1), rate=Decimal("0.8"), source="")
    enter_rate(currency="USD", day=date(2026, 1, 2), rate=Decimal("0.9"), source="")
    text = "day,USD\n2026-01-01,0.8\n2026-01-02,0.95\n2026-01-03,1\n2026-01-03,2\n2026-13-01,1\n2026-01-04,x\n"
    found = checked(text=text)
    assert [line.does for line in found.lines] == ["same", "changes", "new", "faulty", "faulty", "faulty"]
    assert "Line 4" in found.lines[3].faults["day"]
    with pytest.raises(QuestionError):
        enter_lines(text=text, source="")
    assert len(stored()) == 2
    assert enter_lines(text=text.partition("2026-01-03,2")[0], source="") == (1, 1, frozenset({"USD"}))
    assert enter_lines(text=text.partition("2026-01-03,2")[0], source="") == (0, 0, frozenset())


@pytest.mark.parametrize(
    "text",
    ["day,USD\n2026-01-01,1,5\n2026-01-02,x\n2026-01-03,1,1\n2026-01-04,1\n",
     "currency,day,rate\nUSD,2026-01-01,1,5\nUSD,2026-01-02,x\nUSD,2026-01-03,1,1\nUSD,2026-01-04,1\n"],
    ids=["wide", "long"],
)  # fmt: skip
def test_every_line_that_is_too_long_is_told_beside_the_other_faults(text: str) -> None:
    found = checked(text=text)
    assert [(line.number, line.does, list(line.faults)) for line in found.lines] == [
        (2, "faulty", ["rate"]), (3, "faulty", ["rate"]), (4, "faulty", ["rate"]), (5, "new", []),
    ]  # fmt: skip
    assert "more cells than the header" in found.lines[0].faults["rate"]


def test_a_central_banks_file_is_turned_round() -> None:
    enter_lines(text="Date,USD\n2026-01-01,1.25\n", source="", inverse=True)
    assert stored() == [("USD", date(2026, 1, 1), Decimal("0.8"))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose"),
        ("currency,day,rate\n", "no line below"),
        ("currency,rate\nUSD,1\n", "names the columns"),
        ("day\n2026-01-01\n", "names the columns"),
        ("day,USD,USD\n2026-01-01,1,1\n", "names the columns"),
        ('day,USD\n2026-01-01,"1\n', "cannot be read as CSV"),
    ],
    ids=["nothing", "a header", "no day", "no currency", "twice", "an open quote"],
)
def test_what_is_no_table_of_rates_is_refused(text: str, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        checked(text=text)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("EUR,2026-01-01,1", "currency"),
        ("XXQ,2026-01-01,1", "currency"),
        ("USD,yesterday,1", "day"),
        ("USD,2026-01-01,0", "rate"),
        ("USD,2026-01-01,-1", "rate"),
        ("USD,2026-01-01,1.12345678901", "rate"),
        ("USD,2026-01-01,1e5", "rate"),
    ],
    ids=["the reporting one", "none", "no day", "zero", "below zero", "too fine", "an exponent"],
)
def test_a_faulty_line_names_its_fault(line: str, field: str) -> None:
    (found,) = checked(text=f"currency,day,rate\n{line}\n").lines
    assert set(found.faults) == {field}


def test_the_command_enters_a_file_and_says_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("day,USD\n2026-01-01,0.8\n2026-01-02,0.9\n")
    call_command("import_rates", str(file), dry_run=True)
    assert not ExchangeRate.objects.exists()
    call_command("import_rates", str(file))
    call_command("import_rates", str(file))
    assert capsys.readouterr().out.splitlines()[-2:] == ["2 rows changed", "0 rows changed"]
    file.write_text("day,USD\n2026-01-01,much\n")
    with pytest.raises(CommandError, match="1 rates are faulty"):
        call_command("import_rates", str(file))
