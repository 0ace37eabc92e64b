"""A file of spend: what is read, what is refused and why, and all lines or none."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from campaigns.keeping import create_campaign
from campaigns.models import Spend
from campaigns.spend_file import MOST_LINES, checked, enter_lines
from campaigns.spending import enter_spend
from clm.lib.questions import QuestionError
from customers.models import Channel, Installation
from customers.rates import enter_rate

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installation() -> None:
    Installation.objects.update_or_create(id=1, defaults={"currency": "EUR", "time_zone": "Europe/London"})


def only(text: str) -> tuple[str, dict[str, str]]:
    (line,) = checked(text=text, now=NOW).lines
    return line.does, dict(line.faults)


def test_columns_come_in_any_order_and_what_is_left_out_has_its_default() -> None:
    (line,) = checked(text="Amount,Channel,Day\n12.5, Search ,2026-11-01\n", now=NOW).lines
    assert line.entry is not None
    assert (line.entry.channel, line.entry.day, line.entry.amount) == ("search", date(2026, 11, 1), Decimal("12.5"))
    assert (line.entry.currency, line.entry.campaign, line.entry.is_paid_media) == ("EUR", "", True)
    assert line.number == 2


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("day;channel;amount\n01.11.2026;search;1234,50\n", "1234.50"),
        ("day\tchannel\tamount\n2026-11-01\tsearch\t1234,5\n", "1234.5"),
        ('\ufeffday,channel,amount\r\n2026-11-01,"search","0.0001"\r\n', "0.0001"),
        ("day,channel,amount\n\n2026-11-01,search,0\n,,\n", "0"),
        ("Date,Channel,Amount\n2026-11-01,search,7\n", "7"),
    ],
)
def test_what_spreadsheets_write_is_read(text: str, amount: str) -> None:
    (line,) = checked(text=text, now=NOW).lines
    assert line.entry is not None, line.faults
    assert line.entry.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("2026-11-21,search,1,,,", {"day"}),
        ("11/01/2026,search,1,,,", {"day"}),
        ("1989-12-31,search,1,,,", {"day"}),
        ("2026-11-01,two words,1,,,", {"channel"}),
        ('2026-11-01,search,"1,234",,,', {"amount"}),
        ("2026-11-01,search,-1,,,", {"amount"}),
        ("2026-11-01,search,1e3,,,", {"amount"}),
        ("2026-11-01,search,1.00001,,,", {"amount"}),
        ("2026-11-01,search,99999999999,,,", {"amount"}),
        ("2026-11-01,search,1,summer,,", {"campaign"}),
        ("2026-11-01,search,1,,XYZ,", {"currency"}),
        ("2026-11-01,search,1,,USD,", {"currency"}),
        ("2026-11-01,search,1,,,perhaps", {"paid_media"}),
        ("soon,,much,x,EURO,5", {"day", "channel", "amount", "campaign", "currency", "paid_media"}),
    ],
)
def test_every_fault_of_a_line_is_named(row: str, fields: set[str]) -> None:
    does, faults = only(f"day,channel,amount,campaign,currency,paid_media\n{row}\n")
    assert does == "faulty"
    assert faults.keys() == fields


@pytest.mark.parametrize(
    "text",
    [
        "",
        "day,channel,amount\n",
        "day,channel\n2026-11-01,search\n",
        "day,channel,amount,colour\n2026-11-01,search,1,red\n",
        "day,day,channel,amount\n2026-11-01,2026-11-01,search,1\n",
        "day,date,channel,amount\n2026-11-01,2026-11-01,search,1\n",
        'day,channel,amount\n2026-11-01,"search,1\n',
        "day,channel,amount\n" + "2026-11-01,search,1\n" * (MOST_LINES + 1),
        "day,channel,amount\n2026-11-01,sea\x00rch,1\n",
    ],
)
def test_a_text_that_cannot_be_read_as_a_whole_is_refused(text: str) -> None:
    with pytest.raises(QuestionError) as refused:
        checked(text=text, now=NOW)
    assert refused.value.field == "text"


def test_every_line_with_too_many_cells_is_told_beside_the_other_faults() -> None:
    text = "day,channel,amount\n2026-11-01,search,1,2\nsoon,search,1\n2026-11-02,search,1\n2026-11-03,search,3,4,,5\n"
    found = checked(text=text, now=NOW)
    assert [(line.number, line.does, list(line.faults)) for line in found.lines] == [
        (2, "faulty", ["amount"]),
        (3, "faulty", ["day"]),
        (4, "new", []),
        (5, "faulty", ["amount"]),
    ]
    assert "more cells than the header" in found.lines[0].faults["amount"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('2026-11-01,"sea"rch,1\n2026-11-02,search,1\n', "Line 2 cannot be read"),
        ('2026-11-01,search,1\n2026-11-02,"search,1\n', "ends nowhere"),
    ],
    ids=["in a line", "to the end"],
)
def test_a_quotation_mark_that_does_not_fit_is_told_with_its_line(rows: str, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        checked(text=f"day,channel,amount\n{rows}", now=NOW)


def test_a_look_writes_nothing_not_even_a_channel() -> None:
    checked(text="day,channel,amount\n2026-11-01,never-seen,1\n", now=NOW)
    assert not Spend.objects.exists()
    assert not Channel.objects.filter(key="never-seen").exists()


def test_all_lines_are_entered_or_none() -> None:
    with pytest.raises(QuestionError):
        enter_lines(text="day,channel,amount\n2026-11-01,search,1\nsoon,search,1\n", now=NOW)
    assert not Spend.objects.exists()


def test_a_file_enters_corrects_and_leaves_and_twice_it_changes_nothing() -> None:
    create_campaign(key="spring", name="Spring")
    enter_rate(currency="USD", day=date(2026, 1, 1), rate=Decimal("0.9"), source="me")
    enter_spend(channel="search", day=date(2026, 11, 1), amount=Decimal("10"), now=NOW)
    enter_spend(channel="search", day=date(2026, 11, 2), amount=Decimal("10"), now=NOW, campaign="spring")
    text = (
        "day,channel,amount,campaign,currency,paid_media\n"
        "2026-11-01,search,10.00,,,\n"
        "2026-11-02,search,12,spring,,\n"
        "2026-11-02,search,12,,,\n"
        "2026-11-02,search,100,spring,usd,no\n"
    )
    assert [line.does for line in checked(text=text, now=NOW).lines] == ["same", "changes", "new", "new"]
    assert enter_lines(text=text, now=NOW) == (2, 1)
    stored = set(Spend.objects.values_list("day", "campaign__key", "amount", "currency", "is_paid_media"))
    assert stored == {
        (date(2026, 11, 1), None, 1000, "EUR", True),
        (date(2026, 11, 2), "spring", 1200, "EUR", True),
        (date(2026, 11, 2), None, 1200, "EUR", True),
        (date(2026, 11, 2), "spring", 9000, "USD", False),
    }
    assert enter_lines(text=text, now=NOW) == (0, 0)


def test_a_line_that_repeats_an_earlier_one_is_faulty() -> None:
    lines = checked(text="day,channel,amount\n2026-11-01,search,1\n01.11.2026,Search,2\n", now=NOW).lines
    assert [line.does for line in lines] == ["new", "faulty"]
    assert "Line 2" in lines[1].faults["day"]
