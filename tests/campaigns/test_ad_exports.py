"""What advertising tools export as cost is read as it comes; what cannot be read is a fault of its line."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from campaigns.ad_exports import decimal_of
from campaigns.keeping import create_campaign
from campaigns.models import Spend
from campaigns.spend_file import Checked, checked, enter_lines
from clm.lib.questions import QuestionError
from customers.models import Installation
from customers.rates import enter_rate

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

GOOGLE = """Campaign report
"1 October 2026 - 2 October 2026"
Campaign,Day,Campaign type,Campaign status,Currency code,Cost,Impr.,Clicks
Brand,2026-10-01,Search,Enabled,EUR,"1,234.50","12,000",310
Generic,2026-10-01,Search,Enabled,EUR,0.50,100,3
Shoes,2026-10-01,Display,Enabled,EUR,20,900,4
Brand,2026-10-02,Search,Enabled,EUR, --,0,0
Total: Account, --, --,,EUR,"1,255.00","13,000",317
"""
META = """Campaign name,Day,Reach,Impressions,Amount spent (EUR),Reporting starts,Reporting ends
,,88000,120000,31.2,2026-10-01,2026-10-02
Prospecting,2026-10-01,40000,60000,"10,70",2026-10-01,2026-10-02
Retargeting,2026-10-02,48000,60000,20.5,2026-10-01,2026-10-02
"""
LINKEDIN = (
    "Campaign Performance Report (in UTC)\nReport Start: October 1, 2026, 12:00 AM\n\n"
    "Start Date (in UTC)\tAccount Name\tCurrency\tCampaign Group Name\tCampaign Name\tTotal Spent\n"
    "10/01/2026\tAcme\tEUR\tHiring\tEngineers\t1,050.25\n"
    "10/02/2026\tAcme\tEUR\tHiring\tEngineers\t3.00\n"
)


@pytest.fixture(autouse=True)
def installation() -> None:
    Installation.objects.update_or_create(id=1, defaults={"currency": "EUR", "time_zone": "Europe/London"})


def entries(found: Checked) -> list[tuple[str, str, date, Decimal, str, bool]]:
    assert [line.faults for line in found.lines if line.faults] == []
    told = [line.entry for line in found.lines if line.entry]
    return [(one.channel, one.campaign, one.day, one.amount, one.currency, one.is_paid_media) for one in told]


def test_google_ads() -> None:
    create_campaign(key="shoes", name="Autumn shoes", channel="display")
    found = checked(text=GOOGLE, now=NOW)
    assert found.preset == "Google Ads"
    first = date(2026, 10, 1)
    # Two campaigns that are not kept here are one entry; the one that is has its own.
    assert entries(found) == [
        ("search", "", first, Decimal("1235.00"), "EUR", True),
        ("display", "shoes", first, Decimal("20"), "EUR", True),
    ]
    assert [line.number for line in found.lines] == [4, 6]


def test_meta() -> None:
    found = checked(text=META, now=NOW)
    assert found.preset == "Meta Ads"
    assert entries(found) == [
        ("social", "", date(2026, 10, 1), Decimal("10.70"), "EUR", True),
        ("social", "", date(2026, 10, 2), Decimal("20.5"), "EUR", True),
    ]


def test_meta_without_a_breakdown_by_day_is_a_fault_of_the_day() -> None:
    text = "Campaign name,Amount spent (EUR),Reporting starts,Reporting ends\nAll,31.2,2026-10-01,2026-10-31\n"
    (line,) = checked(text=text, now=NOW).lines
    assert line.does == "faulty" and set(line.faults) == {"day"}
    one_day = text.replace("2026-10-31", "2026-10-01")
    assert entries(checked(text=one_day, now=NOW)) == [("social", "", date(2026, 10, 1), Decimal("31.2"), "EUR", True)]


def test_linkedin_in_tabs_with_american_days() -> None:
    found = checked(text=LINKEDIN, now=NOW)
    assert found.preset == "LinkedIn Ads"
    assert [row[2:4] for row in entries(found)] == [
        (date(2026, 10, 1), Decimal("1050.25")),
        (date(2026, 10, 2), Decimal("3.00")),
    ]


def test_another_currency_needs_its_rate_and_is_converted() -> None:
    text = META.replace("(EUR)", "(USD)")
    assert [set(line.faults) for line in checked(text=text, now=NOW).lines] == [{"currency"}] * 2
    enter_rate(currency="USD", day=date(2026, 9, 1), rate=Decimal("0.5"), source="bank")
    assert checked(text=text, now=NOW).units == 535 + 1_025


def test_an_export_is_entered_as_a_whole_and_a_second_time_changes_nothing() -> None:
    assert enter_lines(text=GOOGLE, now=NOW) == (2, 0)
    assert enter_lines(text=GOOGLE, now=NOW) == (0, 0)
    assert enter_lines(text=GOOGLE.replace("0.50,100", "1.50,100"), now=NOW) == (0, 1)
    assert sum(Spend.objects.values_list("amount", flat=True)) == 125_600


@pytest.mark.parametrize(
    ("old", "new", "field"), [("0.50,100", "soon,100", "amount"), ("2026-10-01,Display", "some day,Display", "day")]
)
def test_what_cannot_be_read_is_a_fault_of_its_line(old: str, new: str, field: str) -> None:
    lines = checked(text=GOOGLE.replace(old, new), now=NOW).lines
    assert [set(line.faults) for line in lines if line.faults] == [{field}]
    with pytest.raises(QuestionError):
        enter_lines(text=GOOGLE.replace(old, new), now=NOW)


def test_an_export_in_which_nothing_cost_anything_says_so() -> None:
    with pytest.raises(QuestionError):
        checked(text="Day,Campaign,Currency code,Cost\n2026-10-01,Brand,EUR,0.00\n", now=NOW)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("€1,234.50", "1234.50"),
        ("12,345", "12345"),
        ("1,234,567", "1234567"),
        ("10,7", "10.7"),
        ("0.5", "0.5"),
        ("-3.10", "-3.10"),
        ("soon", None),
        ("1 of 2", None),
    ],
)
def test_amounts_are_read_with_thousands_parted_in_any_way(text: str, amount: str | None) -> None:
    assert decimal_of(text) == (None if amount is None else Decimal(amount))
