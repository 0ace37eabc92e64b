"""What an invoice becomes. The files have the form of Online Retail: quantity, price, refunds by prefix C."""

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.file_lock import ImportRefused
from customers.models import (
    Customer,
    ExchangeRate,
    Identity,
    Import,
    Installation,
    OrderLine,
    Reject,
    Source,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
)
from customers.order_import import import_orders
from customers.parsing import BadFile

from .order_files import HEADER, NOW, bring_in, line, mapping, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pounds():
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP", "time_zone": "Europe/London"})


def lines_aside(record: Import) -> dict[str, list[list[int]]]:
    return {reason: kept["ranges"] for reason, kept in record.set_aside.items()}


def assert_accounted(record: Import, lines: int) -> None:
    assert record.lines_read == lines
    assert record.lines_read == record.lines_used + sum(kept["lines"] for kept in record.set_aside.values())
    for kept in record.set_aside.values():
        assert kept["lines"] == sum(last - first + 1 for first, last in kept["ranges"])


def test_the_lines_of_an_invoice_become_one_order(tmp_path):
    path = write(
        tmp_path,
        line("536365", "85123A", "LANTERN", "6", "12/1/2010 8:27", "2.55"),
        line("536365", "POST", "POSTAGE", "1", "12/1/2010 8:26", "18"),
        line("536365", "22752", '"SET 7, BOXES"', "2", "12/1/2010 8:26", "7.65"),
    )
    done = bring_in(path)
    order = Touchpoint.objects.get()
    assert order.amount == 4860
    assert order.original_amount == Decimal("48.6000")
    assert (order.currency, order.order_ref) == ("GBP", "536365")
    assert order.occurred_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert (order.type.name, order.type.role, order.channel.key) == ("Order Completed", "purchase", "shop")
    assert order.properties == {"total": 48.6, "lines": 3}
    assert order.flags == Touchpoint.Flag.TAGGED
    assert list(
        order.lines.order_by("number").values_list("product", "description", "quantity", "amount", "is_product")
    ) == [
        ("85123A", "LANTERN", Decimal(6), 1530, True),
        ("POST", "POSTAGE", Decimal(1), 1800, False),
        ("22752", "SET 7, BOXES", Decimal(2), 1530, True),
    ]
    identity = Identity.objects.get()
    assert (identity.kind, identity.value, identity.profile_id) == ("customer_id", "17850", order.profile_id)
    trait = Trait.objects.get()
    assert (trait.key, trait.value, trait.set_at) == ("country", "United Kingdom", order.occurred_at)
    assert done.record.counts["tagged_lines"] == 1
    assert done.record.counts["tagged_amount"] == 1800
    assert done.record.counts["orders_at_several_times"] == 1
    assert_accounted(done.record, 3)
    assert list(Stale.objects.values_list("profile", "cause").distinct()) == [(order.profile_id, 4)]


@pytest.mark.parametrize("code", ["POST", "DOT", "C2", "M", "m", "D", "BANK CHARGES", "PADS", "CRUK", "AMAZONFEE"])
def test_a_line_that_is_no_product_is_marked_and_stays_in_the_amount(tmp_path, code):
    bring_in(write(tmp_path, line(product=code, price="1.00"), line(product="22752", price="2.00")))
    assert Touchpoint.objects.get().amount == 300
    assert list(OrderLine.objects.order_by("number").values_list("is_product", flat=True)) == [False, True]


def test_exact_duplicates_are_kept_and_counted(tmp_path):
    done = bring_in(write(tmp_path, line(), line(), line(), line(quantity="2")))
    assert Touchpoint.objects.get().amount == 5 * 255
    assert OrderLine.objects.count() == 4
    assert done.record.counts["duplicate_lines"] == 2


def test_lines_that_do_not_count_are_set_aside_and_an_order_needs_one_that_does(tmp_path):
    path = write(
        tmp_path,
        line("1", quantity="2"),
        line("1", price="0"),
        line("1", quantity="-1"),
        line("1", price="-3"),
        line("2", price="0.0"),
        line("2", quantity="0"),
    )
    done = bring_in(path)
    assert Touchpoint.objects.get().order_ref == "1"
    assert Touchpoint.objects.get().amount == 510
    assert lines_aside(done.record) == {"not_counted": [[3, 7]]}
    assert_accounted(done.record, 6)


def test_a_refund_is_a_touchpoint_of_its_own_date_with_a_negative_amount_and_no_order(tmp_path):
    path = write(
        tmp_path,
        line("536365", time="12/1/2010 8:26"),
        line("C536379", "D", "Discount", "-1", "7/1/2011 9:41", "27.50"),
        line("C536379", "22752", "BOXES", "-2", "7/1/2011 9:41", "7.65"),
        line("C536379", "22752", "BOXES", "2", "7/1/2011 9:41", "7.65"),
    )
    done = bring_in(path)
    refund = Touchpoint.objects.get(order_ref="C536379")
    assert refund.amount == -4280
    assert refund.occurred_at == datetime(2011, 7, 1, 8, 41, tzinfo=UTC)
    assert (refund.type.name, refund.type.role) == ("Order Refunded", "refund")
    assert [each.amount for each in refund.lines.order_by("number")] == [-2750, -1530]
    assert done.record.counts["refunds"] == done.record.counts["refunds_unmatched"] == 1
    assert done.record.counts["refund_amount"] == -4280
    assert lines_aside(done.record) == {"not_counted": [[5, 5]]}


def test_lines_without_a_customer_are_set_aside_with_their_value(tmp_path):
    path = write(
        tmp_path,
        line("1"),
        line("2", customer="", quantity="3", price="1.50"),
        line("2", customer="", quantity="-1", price="0.50"),
        line("1", customer=" "),
    )
    done = bring_in(path)
    assert done.record.set_aside["no_customer"] == {"lines": 3, "amount": 400 + 255, "ranges": [[3, 5]]}
    assert Touchpoint.objects.get().order_ref == "1"
    assert_accounted(done.record, 4)


def test_texts_that_mean_nobody_can_be_declared(tmp_path):
    path = write(tmp_path, line("1", customer="NULL"), line("2", customer="NA"))
    done = bring_in(path, missing_customers=["NULL"])
    assert lines_aside(done.record) == {"no_customer": [[2, 2]]}
    assert Identity.objects.get().value == "NA"


def test_an_invoice_that_names_several_customers_belongs_to_the_first(tmp_path):
    path = write(tmp_path, line("1"), line("1", customer="12583"), line("1", price="1"))
    done = bring_in(path)
    assert Touchpoint.objects.get().amount == 355
    assert Identity.objects.get().value == "17850"
    assert lines_aside(done.record) == {"other_customer": [[3, 3]]}
    assert done.record.set_aside["other_customer"]["amount"] == 255
    assert done.record.counts["orders_naming_several_customers"] == 1


def test_the_lines_of_an_invoice_need_not_stand_together(tmp_path):
    path = write(tmp_path, line("1"), line("2"), line("1"), line("3"), line("2"))
    bring_in(path)
    assert dict(Touchpoint.objects.values_list("order_ref", "amount")) == {"1": 510, "2": 510, "3": 255}


def test_ids_keep_their_leading_zeros_and_odd_names_stay(tmp_path):
    bring_in(write(tmp_path, line("007", "00123", "NA", customer="0042", country="NA")))
    order = Touchpoint.objects.get()
    assert order.order_ref == "007"
    assert (order.lines.get().product, order.lines.get().description) == ("00123", "NA")
    assert Identity.objects.get().value == "0042"
    assert Trait.objects.get().value == "NA"


def test_texts_are_stored_exactly(tmp_path):
    text = ' Gift Voucher £40.00, "5"" x 3""" \r\n second line '
    bring_in(write(tmp_path, line(description='"' + text.replace('"', '""') + '"')))
    assert OrderLine.objects.get().description == text


def test_fine_prices_are_summed_exactly_and_rounded_half_even_once(tmp_path):
    path = write(
        tmp_path,
        *[line("1", price="0.001")] * 5,
        line("2", price="0.001"),
        line("3", price="0.005"),
        line("4", price="0.015"),
        line("5", quantity="0.333", price="3"),
    )
    bring_in(path)
    assert dict(Touchpoint.objects.values_list("order_ref", "amount")) == {"1": 0, "2": 0, "3": 0, "4": 2, "5": 100}
    assert Touchpoint.objects.get(order_ref="1").original_amount == Decimal("0.0050")


@pytest.mark.parametrize(
    "number", ["NaN", "nan", "inf", "-Infinity", "1E5", "1e-3", "1,000", "", "£2", "0x10", "1_000", "٣"]
)
@pytest.mark.parametrize("column", ["UnitPrice", "Quantity"])
def test_what_is_no_plain_number_is_set_aside_with_line_and_column(tmp_path, number, column):
    cell = f'"{number}"'
    faulty = line("2", price=cell) if column == "UnitPrice" else line("2", quantity=cell)
    done = bring_in(write(tmp_path, line("1"), faulty, encoding="utf-8"), encoding="utf-8")
    assert lines_aside(done.record) == {"bad_number": [[3, 3]]}
    reject = Reject.objects.get()
    assert (reject.line_number, reject.path, reject.from_import) == (3, column, done.record)
    assert reject.reason == f'"{number}" is not a plain decimal number'
    assert bytes(reject.raw).decode() == faulty + "\r\n"
    assert Touchpoint.objects.get().order_ref == "1"


def test_numbers_too_large_for_their_column_are_set_aside(tmp_path):
    path = write(
        tmp_path,
        line("1", quantity="1" * 12),
        line("2", quantity="0.0001"),
        line("3", price="1" * 11),
        line("4", price="0.0000001"),
        line("5", quantity="99999999999", price="9999999999"),
        line("6", quantity="000000000000001.000000", price="+2.50000000"),
    )
    done = bring_in(path)
    assert lines_aside(done.record) == {"bad_number": [[2, 5]], "too_large": [[6, 6]]}
    assert Touchpoint.objects.get().amount == 250


@pytest.mark.parametrize(
    ("time", "reason", "sentence"),
    [
        ("1/1/10000 8:26", "bad_time", "is not a time of the form %m/%d/%Y %H:%M"),
        ("31/12/2010 8:26", "bad_time", "is not a time of the form %m/%d/%Y %H:%M"),
        ("", "bad_time", "is not a time of the form %m/%d/%Y %H:%M"),
        ("12/31/1989 8:26", "bad_time", "lies before 1990"),
        ("6/1/2026 1:01", "in_the_future", "lies in the future"),
    ],
)
def test_a_time_that_cannot_be_is_set_aside(tmp_path, time, reason, sentence):
    done = bring_in(write(tmp_path, line("1"), line("2", time=time)), now=datetime(2026, 6, 1, tzinfo=UTC))
    assert lines_aside(done.record) == {reason: [[3, 3]]}
    assert (Reject.objects.get().path, Reject.objects.get().reason) == ("InvoiceDate", f'"{time}" {sentence}')


def test_a_line_at_the_very_instant_of_the_import_is_no_future(tmp_path):
    bring_in(write(tmp_path, line(time="6/1/2026 1:00")), now=datetime(2026, 6, 1, tzinfo=UTC))
    assert Touchpoint.objects.get().occurred_at == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_faulty_line_sets_its_whole_invoice_aside_and_the_mended_file_brings_it_in(tmp_path):
    good, bad = line("1"), line("1", price="NaN")
    first = bring_in(write(tmp_path, good, line("2"), bad))
    assert lines_aside(first.record) == {"bad_number": [[4, 4]], "faulty_order": [[2, 2]]}
    assert [each.order_ref for each in Touchpoint.objects.all()] == ["2"]
    bring_in(write(tmp_path, good, line("2"), line("1", price="2.00")))
    assert dict(Touchpoint.objects.values_list("order_ref", "amount")) == {"1": 455, "2": 255}


def test_a_row_longer_or_shorter_than_the_header_is_set_aside_with_its_invoice(tmp_path):
    done = bring_in(write(tmp_path, line("1"), line("1") + ",more", line("2"), "2,85123A", line("3")))
    assert lines_aside(done.record) == {"wrong_width": [[3, 3], [5, 5]], "faulty_order": [[2, 2], [4, 4]]}
    assert [(each.line_number, each.reason) for each in Reject.objects.order_by("line_number")] == [
        (3, "the row has 9 cells, the header 8"),
        (5, "the row has 2 cells, the header 8"),
    ]
    assert Touchpoint.objects.get().order_ref == "3"


def test_a_zero_byte_and_an_overlong_text_are_set_aside(tmp_path):
    done = bring_in(
        write(
            tmp_path,
            line("1", description="a\0b"),
            line("2", description="x" * 10_001),
            line("3", description="x" * 10_000),
            line("4", customer="9" * 513),
            line("", description="no number"),
            line("5\0"),
        )
    )
    assert lines_aside(done.record) == {"bad_text": [[2, 3], [5, 5], [7, 7]], "no_invoice": [[6, 6]]}
    assert sorted(Reject.objects.values_list("line_number", "path")) == [
        (2, "Description"),
        (3, "Description"),
        (5, "CustomerID"),
        (6, "InvoiceNo"),
        (7, "InvoiceNo"),
    ]
    assert Touchpoint.objects.get().order_ref == "3"


def test_an_invoice_with_too_many_lines_is_set_aside_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.orders.MAX_LINES", 3)
    done = bring_in(write(tmp_path, *[line("1")] * 5, *[line("2")] * 3))
    assert lines_aside(done.record) == {"too_many_lines": [[2, 6]]}
    assert Touchpoint.objects.get().order_ref == "2"


def test_no_more_than_a_thousand_faulty_lines_are_kept_with_their_text(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.order_import.MAX_REJECTS", 3)
    monkeypatch.setattr("customers.order_import.CHUNK_EVENTS", 1)
    lines = [each for number in range(5) for each in (line(f"{number}a", price="?"), line(f"{number}b"))]
    done = bring_in(write(tmp_path, *lines))
    assert list(Reject.objects.order_by("id").values_list("line_number", flat=True)) == [2, 4, 6]
    assert done.record.set_aside["bad_number"]["lines"] == 5


def test_importing_again_changes_no_row(tmp_path):
    path = write(
        tmp_path,
        line("1", country="France"),
        line("2", country="EIRE"),  # the same customer at the same minute, from elsewhere
        line("C3", quantity="-1"),
        line("4", price="?"),
        line("5", customer=""),
    )
    first = bring_in(path)
    assert first.rows_changed > 0 and not first.again

    def everything() -> list[list[tuple]]:
        models = (Touchpoint, OrderLine, Identity, Trait, Stale, Reject, Customer, Import, Source, TouchpointType)
        return [list(model.objects.order_by("pk").values_list()) for model in models]

    before = everything()
    again = bring_in(path)
    assert again.rows_changed == 0 and again.again
    assert everything() == before  # the account of the import included
    assert again.record.set_aside == first.record.set_aside
    assert again.record.lines_read == first.record.lines_read == 5


def test_a_file_that_was_ahead_of_its_time_is_taken_in_later(tmp_path):
    path = write(tmp_path, line("1"), line("2", time="7/1/2026 9:00"))
    assert lines_aside(bring_in(path, now=NOW).record) == {"in_the_future": [[3, 3]]}
    later = bring_in(path, now=datetime(2026, 8, 1, tzinfo=UTC))
    assert later.rows_changed > 0
    record = Import.objects.get()
    assert (record.lines_read, record.lines_used, record.set_aside) == (2, 2, {})
    assert record.counts["touchpoints_new"] == 2


def test_an_invoice_that_says_something_else_is_counted_and_what_was_stored_first_stands(tmp_path):
    bring_in(write(tmp_path, line("1", price="2.00")))
    done = bring_in(write(tmp_path, line("1", price="3.00")))
    assert done.record.counts["touchpoints_conflicting"] == 1
    assert Touchpoint.objects.get().amount == 200


def test_customers_in_two_files_are_the_same_people(tmp_path):
    bring_in(write(tmp_path, line("1", time="12/1/2010 8:26", country="France")))
    done = bring_in(write(tmp_path, line("2", time="12/2/2010 8:26", country="EIRE")))
    assert done.record.counts.get("customers_new", 0) == 0
    assert Customer.objects.count() == 1
    assert [each.value for each in Trait.objects.order_by("set_at")] == ["France", "EIRE"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (HEADER.replace("UnitPrice", "Price").encode() + b"\r\n", 'there is no column "UnitPrice"'),
        ((HEADER + "\r\n" + line("1") + "\r\n" + line("2", "\x81") + "\r\n").encode("latin-1"), "is not cp1252"),
        ((HEADER + "\r\n" + line("1") + "\r\n" + line("2", "x" * 10_000_000)).encode(), 'line 3, column "StockCode"'),
    ],
)
def test_a_file_that_cannot_be_read_stores_nothing(tmp_path, content, words):
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=words):
        bring_in(path)
    for model in (Touchpoint, OrderLine, Identity, Trait, Stale, Reject, Customer):
        assert not model.objects.exists()
    failed = Import.objects.get()
    assert failed.state == "failed" and words in failed.error and failed.lines_read == 0


def test_a_failed_import_is_taken_up_by_the_next_run(tmp_path, monkeypatch):
    path = write(tmp_path, *[line(str(number)) for number in range(100, 110)])
    monkeypatch.setattr("customers.order_import.CHUNK_EVENTS", 2)

    def stop(sentence: str) -> None:
        if "stored 4" in sentence:
            raise KeyboardInterrupt

    monkeypatch.setattr("customers.order_import.TELL_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        bring_in(path, tell=stop)
    stopped = Import.objects.get()
    assert (stopped.state, stopped.error, stopped.lines_used) == ("failed", "KeyboardInterrupt", 4)
    assert Touchpoint.objects.count() == 4
    done = bring_in(path)
    assert done.resumed and done.record.pk == stopped.pk
    assert (done.record.state, done.record.error, done.record.lines_used) == ("done", "", 10)
    assert Touchpoint.objects.count() == 10
    assert done.record.counts["touchpoints_new"] == 10


def test_other_currencies_are_converted_at_the_rate_of_the_day(tmp_path):
    path = write(tmp_path, line("1", time="12/1/2010 23:30", price="10"), line("2", time="12/3/2010 0:30", price="10"))
    call_command("exchange_rate", "USD", "2010-12-03", "0.7", stdout=StringIO())
    call_command("exchange_rate", "USD", "2010-12-03", "0.64125", stdout=StringIO())
    done = bring_in(path, currency="USD")
    assert lines_aside(done.record) == {}
    told = Touchpoint.objects.order_by("occurred_at").values_list("amount", "original_amount", "currency")
    assert list(told) == [(None, Decimal(10), "USD"), (641, Decimal(10), "USD")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["USD", "2010-12-03"], "all three"),
        (["usd", "2010-12-03", "1"], "not a currency"),
        (["GBP", "2010-12-03", "1"], "reporting currency itself"),
        (["USD", "3.12.2010", "1"], "not a day"),
        (["USD", "2010-12-03", "0"], "above zero"),
        (["USD", "2010-12-03", "NaN"], "above zero"),
        (["USD", "2010-12-03", "1.00000000001"], "decimal places"),
        (["USD", "2206-12-03", "1"], "more than a year ahead"),
        (["USD", "2010-12-03", "0,79"], "with a point: 0.79"),
        (["USD", "2010-12-03", "1,079.5"], "without thousands separators"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(words, said):
    with pytest.raises(CommandError, match=said):
        call_command("exchange_rate", *words, stdout=StringIO())
    assert not ExchangeRate.objects.exists()


def test_the_rates_known_are_listed():
    call_command("exchange_rate", "USD", "2010-12-03", "0.64125", stdout=StringIO())
    out = StringIO()
    call_command("exchange_rate", stdout=out)
    assert out.getvalue() == "1 USD is 0.64125 GBP from 2010-12-03 on\n"


def test_amounts_may_be_written_with_a_decimal_comma(tmp_path):
    path = write(
        tmp_path,
        line("1", price='"1,25"'),
        line("2", price="1.25"),
        header=HEADER,
    )
    done = bring_in(path, decimal_mark=",")
    assert Touchpoint.objects.get().amount == 125
    assert lines_aside(done.record) == {"bad_number": [[3, 3]]}


def test_a_source_keeps_the_shift_it_was_filled_with(tmp_path):
    path = write(tmp_path, line("1", time="12/1/2010 8:26"))
    import_orders(path=path, mapping=mapping(), now=NOW, tell=lambda _: None, shift_days=70)
    assert Source.objects.get().shift_days == 70
    assert Touchpoint.objects.get().occurred_at == datetime(2011, 2, 9, 8, 26, tzinfo=UTC)
    with pytest.raises(ImportRefused, match="moved by 70 days"):
        import_orders(path=path, mapping=mapping(), now=NOW, tell=lambda _: None, shift_days=77)
    again = bring_in(path)
    assert again.rows_changed == 0
    assert again.record.counts["touchpoints_repeated"] == 1


def test_the_progress_is_told_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.order_import.TELL_SECONDS", 0)
    monkeypatch.setattr("customers.order_import.CHUNK_EVENTS", 2)
    told: list[str] = []
    done = bring_in(write(tmp_path, *[line(str(number)) for number in range(3)]), tell=told.append)
    assert told == [
        "read 3 lines",
        "stored 2 orders and 0 refunds, 2 lines done, 66 %",
        "stored 3 orders and 0 refunds, 3 lines done, 100 %",
    ]
    assert done.record.progress == {"phase": "storing", "after": "2", "lines": 3}
    assert done.record.finished_at is not None
