"""An admin opens a touchpoint and sees the message as it arrived; nobody else does, and the log says who did."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from analytics.arrived import Arrived
from customers.erase import work_on_erasures
from customers.ingest import clock
from customers.keeping import log_touchpoint
from customers.merge import merge
from customers.models import Customer, Touchpoint
from customers.partitions import KEEP
from lifecycle.erase import erase
from tests.factories import client_of, make_user
from tests.lifecycle.making import installed, settle
from tests.receiving.sending import Sender, track

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender() -> Sender:
    installed()
    return Sender()


def browser(role: str) -> Client:
    made = Client()
    made.force_login(make_user(role))
    return made


def sent(sender: Sender, *texts: bytes) -> Touchpoint:
    """The touchpoint of the last of some messages."""
    assert sender.batch(*texts).status_code == 200
    settle()
    return Touchpoint.objects.exclude(type__name="Created").latest("pk")


def page_of(touchpoint: Touchpoint) -> str:
    return f"/customers/{touchpoint.profile.customer_id}/touchpoints/{touchpoint.pk}/"


def test_an_admin_sees_the_message_as_it_arrived(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    text = b'{ "type":"track", "messageId":"m", "event":"Feature Used","userId":"u1","context":{"ip":"203.0.113.9"},'
    text += '"properties":{"word":"ü <b>", "number":1.50}}'.encode()
    touchpoint, admin = sent(sender, text), browser("admin")
    with caplog.at_level(logging.INFO, logger="analytics.arrived"):
        answer = admin.get(page_of(touchpoint))
    assert answer.context["arrived"].body == text
    assert json.loads(answer.context["arrived"].laid_out)["context"] == {"ip": "203.0.113.9"}
    shown = answer.content.decode()
    assert "203.0.113.9" in shown and "ü &lt;b&gt;" in shown and "<b>&quot;" not in shown
    assert answer["Cache-Control"] == "no-store"
    (line,) = caplog.records
    fields: dict[str, Any] = line.__dict__["fields"]
    assert fields["touchpoint"] == touchpoint.pk and fields["reader"].startswith("user ")
    assert "203.0.113.9" not in line.getMessage() + str(fields)
    # The timeline and the last events of the source lead there.
    for path in (f"/customers/{touchpoint.profile.customer_id}/", f"/sources/{sender.source.key}/tail/"):
        assert f'href="{page_of(touchpoint)}"' in admin.get(path).content.decode(), path
    told = client_of("admin").get(f"/api/v1{page_of(touchpoint)}message/").json()
    assert told["text"] == text.decode() and told["source"] == sender.source.key


@pytest.mark.parametrize("role", ["viewer", "agent", "marketer"])
def test_nobody_else_does_nor_is_led_there(role: str, sender: Sender) -> None:
    touchpoint, others = sent(sender, json.dumps(track("m")).encode()), browser(role)
    assert others.get(page_of(touchpoint)).status_code == 403
    assert client_of(role).get(f"/api/v1{page_of(touchpoint)}message/").status_code == 403
    timeline = others.get(f"/customers/{touchpoint.profile.customer_id}/").content.decode()
    assert "Feature Used" in timeline and page_of(touchpoint) not in timeline


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":"\xc3\xbc"}', '{\n  "a": "\u00fc"\n}'),
        (b'{"a":"\\ud800"}', '{\n  "a": "\\ud800"\n}'),  # half a character
        (b"{not JSON", "{not JSON"),
        (b"\xff", "\ufffd"),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_what_cannot_be_laid_out_is_shown_as_it_is(body: bytes, said: str) -> None:
    assert Arrived(1, Touchpoint(), body).laid_out == said


def test_what_never_was_a_message_or_is_not_kept_any_more_says_so(sender: Sender) -> None:
    admin, api = browser("admin"), client_of("admin")
    touchpoint = sent(sender, json.dumps(track("m")).encode())
    customer = touchpoint.profile.customer_id
    log_touchpoint(customer=customer, kind="note", text="Called back", author="Joan", occurred_at=None, now=clock())
    note = Touchpoint.objects.latest("pk")
    old = clock() - KEEP - timedelta(days=1)
    Touchpoint.objects.filter(pk=touchpoint.pk).update(received_at=old, occurred_at=old)
    for one in (note, touchpoint):
        answer = admin.get(page_of(one))
        assert answer.status_code == 200 and answer.context["arrived"].body is None
        assert "kept as it arrived for 30 days" in answer.content.decode()
        assert api.get(f"/api/v1{page_of(one)}message/").status_code == 404
        assert page_of(one) not in admin.get(f"/customers/{customer}/").content.decode()


def test_a_touchpoint_of_somebody_else_is_not_there_and_a_merged_customer_leads_on(sender: Sender) -> None:
    admin = browser("admin")
    first = sent(sender, json.dumps(track("m", user="a")).encode())
    second = sent(sender, json.dumps(track("n", user="b")).encode())
    address = f"/customers/{first.profile.customer_id}/touchpoints/{second.pk}/"
    assert admin.get(address).status_code == 404
    assert admin.get(f"/customers/{first.profile.customer_id}/touchpoints/{2**63}/").status_code == 404
    before = page_of(second)
    merge(customers=(first.profile.customer_id, second.profile.customer_id), now=clock())
    assert admin.get(before)["Location"] == address


def test_of_an_erased_customer_nothing_is_left_to_see(sender: Sender) -> None:
    touchpoint = sent(sender, json.dumps(track("m", properties={"note": "secret words"})).encode())
    address, number = page_of(touchpoint), touchpoint.profile.customer_id
    erase(customer=number, now=clock(), author=None)
    work_on_erasures(seconds=60)
    assert Customer.objects.get(pk=number).erased_at is not None
    answer = browser("admin").get(address)
    assert "secret words" not in answer.content.decode()
