"""Webhooks are made, tried and mended on their pages and by the API; the manual's snippet knows what is ours."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Delivery, Endpoint, Resending
from tests.conftest import PROJECT
from tests.factories import client_of, make_user
from tests.lifecycle.making import ago, customer_of, happened, installed

from .conftest import live, told
from .sink import Answer, Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Client:
    installed()
    browser = Client()
    browser.force_login(make_user("admin"))
    return browser


def form(sink: Sink, **more: Any) -> dict[str, Any]:
    plain = {"url": sink.url(), "description": "newsletter", "events": ["customer.stage_changed"]}
    return {**plain, "form_id": "7a3b0f6e-5a53-4c56-9d0e-000000000001", **more}


def secret_in(answer: Any) -> str:
    (found,) = set(re.findall(r"whsec_[\w+/=]{40,}", answer.content.decode()))
    return str(found)


def is_ours() -> Callable[..., bool]:
    """The function of the manual, as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "webhooks.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_ours"]  # type: ignore[no-any-return]


def test_a_webhook_is_made_tried_and_told(sink: Sink, admin: Client) -> None:
    made = admin.post("/webhooks/new/", form(sink, model_keys=["seven"]))
    assert made.status_code == 201, made.content
    assert "no-store" in made["Cache-Control"]
    secret, endpoint = secret_in(made), Endpoint.objects.get()
    again = admin.post("/webhooks/new/", form(sink, model_keys=["seven"]))
    assert again.status_code == 302
    assert Endpoint.objects.count() == 1
    address = f"/webhooks/{endpoint.pk}/"
    shown = admin.get(address).content.decode()
    assert secret not in shown
    # What it is narrowed to is called by its name, here and in the form.
    assert "Models: Seven stages<" in shown
    assert "Seven stages" in admin.get(f"{address}edit/").content.decode()
    assert admin.post(address, {"act": "ping"}).status_code == 302
    sink.answer = lambda _got, _number: Answer(202, {}, [b"thank you"])
    assert told() == 1
    assert "thank you" in admin.get(address).content.decode()
    live(happened("ann", "Signed Up", ago(minutes=1), traits={"name": "Ann"}))
    assert told() == 1
    holds = is_ours()
    for got in sink.got:
        assert holds(secret, got.headers, got.body)
        assert not holds(secret, got.headers, got.body + b" ")
        assert not holds(secret, {**got.headers, "webhook-timestamp": "1"}, got.body)
        assert not holds(secret, {**got.headers, "webhook-signature": "v1,é"}, got.body)
        assert not holds(secret, {}, got.body)
    shown = admin.get(address).content.decode()
    assert f"/customers/{customer_of('ann')}/" in shown
    assert "newsletter" in admin.get("/webhooks/").content.decode()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("url", "https://169.254.169.254/latest"),
        ("url", "ftp://example.org/"),
        ("url", ""),
        ("events", []),
        ("model_keys", ["eight"]),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(field: str, wrong: Any, sink: Sink, admin: Client) -> None:
    answer = admin.post("/webhooks/new/", form(sink, **{field: wrong}))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert not Endpoint.objects.exists()


def test_a_webhook_is_changed_switched_and_removed(sink: Sink, admin: Client) -> None:
    admin.post("/webhooks/new/", form(sink))
    endpoint = Endpoint.objects.get()
    address = f"/webhooks/{endpoint.pk}/"
    assert admin.get(f"{address}edit/").status_code == 200
    changed = form(sink, description="till", events=["segment.left"], segment_keys=["active_customer"])
    assert admin.post(f"{address}edit/", changed).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.events, endpoint.segment_keys) == (
        "till",
        ["segment.left"],
        ["active_customer"],
    )
    assert admin.get(f"{address}secret/").status_code == 200
    assert secret_in(admin.post(f"{address}secret/"))
    admin.post(address, {"act": "off"})
    endpoint.refresh_from_db()
    assert "switched it off" in endpoint.disabled_because
    system = " ".join(admin.get("/system/").content.decode().split())
    assert "The webhook “till” is switched off and is told nothing: " in system
    assert f'href="{address}"' in system
    admin.post(address, {"act": "ping"})
    assert not Delivery.objects.exists()
    assert "switched off" in admin.get(address).content.decode()
    admin.post(address, {"act": "on"})
    for wrong in ("", "soon", "2999-01-01"):
        assert admin.post(address, {"act": "resend", "since": wrong}).status_code == 422, wrong
    assert admin.post(address, {"act": "resend", "since": "2025-01-01"}).status_code == 302
    assert Resending.objects.count() == 1
    assert admin.post(address, {"act": "dance"}).status_code == 400
    assert admin.post(f"{address}remove/").status_code == 302
    assert not Endpoint.objects.exists()
    assert admin.get(address).status_code == 404


def test_the_api_does_what_the_pages_do(sink: Sink) -> None:
    installed()
    api = client_of("admin")

    def post(path: str, body: Any = None) -> Any:
        return api.post(f"/api/v1/webhooks/{path}", json.dumps(body or {}), "application/json")

    refused = post("", {"url": "https://10.0.0.1/", "events": ["customer.merged"]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "url")
    made = post("", {"url": sink.url(), "events": ["customer.stage_changed"], "model_keys": ["seven"]})
    assert made.status_code == 201, made.content
    number, secret = made.json()["id"], made.json()["secret"]
    assert "secret" not in api.get(f"/api/v1/webhooks/{number}/").json()
    assert post(f"{number}/ping/").status_code == 201
    told()
    assert is_ours()(secret, sink.got[0].headers, sink.got[0].body)
    (delivery,) = api.get(f"/api/v1/webhooks/{number}/deliveries/?state=delivered").json()["results"]
    whole = api.get(f"/api/v1/webhooks/{number}/deliveries/{delivery['id']}/").json()
    assert whole["tries"][0]["status"] == 204
    assert json.loads(whole["body"])["type"] == "webhook.ping"
    assert post(f"{number}/deliveries/{delivery['id']}/retry/").json()["state"] == "waiting"
    assert post(f"{number}/rotate/").json()["secret"] != secret
    assert post(f"{number}/resend/", {"since": "2025-01-01"}).status_code == 201
    assert post(f"{number}/resend/", {"since": "2025-01-01"}).status_code == 409
    assert post(f"{number}/switch-off/").json()["disabled_at"] is not None
    assert post(f"{number}/ping/").status_code == 409
    assert post(f"{number}/switch-on/").json()["disabled_at"] is None
    changed = api.patch(f"/api/v1/webhooks/{number}/", json.dumps({"description": "till"}), "application/json")
    assert changed.json()["description"] == "till"
    assert api.delete(f"/api/v1/webhooks/{number}/").status_code == 204
    assert api.get(f"/api/v1/webhooks/{number}/").status_code == 404
    assert client_of("marketer").get("/api/v1/webhooks/").status_code == 403
