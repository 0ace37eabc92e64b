"""/api/v1/experiments/: made, started, read and ended; every number with its customers, every fault with its field."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from analytics.experiments.ending import count_experiments
from campaigns.experiments import work_on_experiments
from campaigns.models import Assignment, Experiment
from customers.models import Profile
from tests.api.calls import counted, get, send
from tests.factories import client_of, make_order
from tests.lifecycle.making import ago, happened, settle, tell

BOW = {
    "key": "bow",
    "name": "A bow",
    "variants": [{"key": "control", "weight": 3}, {"key": "bow"}],
    "metrics": [{"kind": "conversion", "days": 1}, {"kind": "revenue", "days": 1}],
    "planned": 10,
}


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    tell(*(happened(f"p{number}", "Page Viewed", ago(days=100)) for number in range(30)))
    settle()
    return client_of("marketer")


def test_an_experiment_takes_its_course(api: Client) -> None:
    draft = send(api, "POST", "experiments/", BOW, 201)
    assert (draft["state"], draft["audience"], draft["mode"]) == ("draft", None, "fixed")
    assert draft["variants"] == [{"key": "control", "weight": 3}, {"key": "bow", "weight": 1}]
    assert get(api, "experiments/bow/results/")["verdict"] == "none"
    assert send(api, "POST", "experiments/bow/start/")["state"] == "assigning"
    send(api, "POST", "experiments/bow/start/", code=409)
    send(api, "DELETE", "experiments/bow/", code=409)
    assert work_on_experiments(seconds=60) == 30
    tell(*(make_order(f"p{number}", ago(minutes=-0)) for number in range(3)))
    found = get(api, "experiments/bow/results/")
    assert found["verdict"] == "early"
    assert sum(one["customers"]["number"] for one in found["assigned"]) == 30
    assert found["metrics"][0]["waiting"] == 30
    assert found["metrics"][1]["unit"] == "EUR"
    for number, where in counted(found):
        assert (where is None) == (number == 0)
        assert where is None or len(get(api, f"{where}&page_size=200")["results"]) == number
    assert get(api, "experiments/")["results"][0]["state"] == "running"
    assert send(api, "POST", "experiments/bow/stop/")["state"] == "stopped"
    ended = send(api, "POST", "experiments/bow/end/")
    assert (ended["state"], ended["ended_at"] is not None) == ("ending", True)
    send(api, "POST", "experiments/bow/end/", code=409)
    found = get(api, "experiments/bow/results/")
    assert (found["verdict"], found["counting"]) == ("counting", {"done": 0, "of": 2})
    assert (found["assigned"], found["metrics"], found["told_at"], found["agrees"]) == ([], [], None, False)
    assert count_experiments(seconds=60) == 1
    assert get(api, "experiments/bow/")["state"] == "ended"
    found = get(api, "experiments/bow/results/")
    assert (found["verdict"], found["told_at"], found["since"]) == ("unreached", ended["ended_at"], None)
    assert found["today"]["metrics"] == found["metrics"]
    assert (found["agrees"], found["counting"], found["recounted_at"] is not None) == (True, None, True)
    # Its end as it is told leads to what was told then; the millisecond before, to what was so far.
    again = get(api, f"experiments/bow/results/?as_of={ended['ended_at']}")
    assert {**again, "recounted_at": found["recounted_at"]} == found
    before = datetime.fromisoformat(ended["ended_at"]) - timedelta(milliseconds=1)
    so_far = get(api, f"experiments/bow/results/?as_of={before.isoformat().replace('+', '%2B')}")
    assert (so_far["verdict"], so_far["told_at"]) == ("early", None)
    get(api, "experiments/card/", 404)


def test_one_that_has_ended_tells_what_it_told_and_what_a_recount_says(api: Client) -> None:
    send(api, "POST", "experiments/", {**BOW, "metrics": [{"kind": "conversion", "days": 1}]}, 201)
    send(api, "POST", "experiments/bow/start/")
    one = Experiment.objects.get()
    control, bow = one.variants.all()
    of = Profile.objects.order_by("pk").values_list("pk", "customer")[:20]
    Assignment.objects.bulk_create(
        Assignment(experiment=one, variant=(control, bow)[place < 5], profile_id=profile, unit=unit, at=ago(days=3))
        for place, (profile, unit) in enumerate(of)
    )
    send(api, "POST", "experiments/bow/end/")
    assert count_experiments(seconds=60) == 1
    tell(*(make_order(f"p{number}", ago(days=3, hours=-1)) for number in range(3)))
    found = get(api, "experiments/bow/results/")
    assert (found["verdict"], found["since"]["late"], found["agrees"]) == ("told", 3, False)
    (told,), (today,) = found["metrics"], found["today"]["metrics"]
    did = [sum(each["converted"]["number"] for each in metric["variants"]) for metric in (told, today)]
    assert did == [0, 3]
    assert told["variants"][0]["counted"]["customers"] is not None
    for number, where in counted(found):
        assert where is None or len(get(api, f"{where}&page_size=200")["results"]) == number
    assert all((where is None) == (number == 0) for number, where in counted(today))


def test_a_draft_is_changed_and_what_is_left_out_stays(api: Client) -> None:
    draft = send(api, "POST", "experiments/", BOW, 201)
    told = send(api, "PATCH", "experiments/bow/", {"planned": 50, "audience": "active_customer"})
    assert told == {**draft, "planned": 50, "audience": "active_customer"}
    told = send(api, "PATCH", "experiments/bow/", {"audience": None, "variants": [{"key": "a"}, {"key": "b"}]})
    assert (told["audience"], told["planned"]) == (None, 50)
    assert told["variants"] == [{"key": "a", "weight": 1}, {"key": "b", "weight": 1}]
    faults = send(api, "PATCH", "experiments/bow/", {"mode": "peek_safe", "name": " x "}, 400)["errors"]
    assert [error["field"] for error in faults] == ["metrics[0].tau"]
    send(api, "PATCH", "experiments/bow/", {"key": "card"}, 400)
    send(api, "POST", "experiments/bow/start/")
    refused = send(api, "PATCH", "experiments/bow/", {"planned": 60}, 409)
    assert "started" in refused["detail"]
    assert get(api, "experiments/bow/")["planned"] == 50
    send(api, "PATCH", "experiments/card/", {"planned": 60}, 404)


def test_a_draft_is_removed_and_its_key_is_free_again(api: Client) -> None:
    send(api, "POST", "experiments/", BOW, 201)
    send(api, "POST", "experiments/", BOW, 409)
    send(api, "DELETE", "experiments/bow/", code=204)
    send(api, "POST", "experiments/", BOW, 201)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"key": "plan"}, "key"),
        ({"variants": [{"key": "a"}]}, "variants"),
        ({"metrics": [{"kind": "reached", "days": 3}]}, "metrics"),
        ({"mode": "peek_safe"}, "metrics[0].tau"),
        ({"audience": "nobody"}, "audience"),
    ],
)
def test_every_fault_is_told_with_its_field(more: dict[str, Any], field: str, api: Client) -> None:
    body = send(api, "POST", "experiments/", {**BOW, **more}, 400)
    assert [error["field"] for error in body["errors"]] == [field]


def test_a_plan_is_told_and_what_is_none_is_refused(api: Client) -> None:
    assert get(api, "experiments/plan/?baseline=0.6&lift=0.25") == {"customers_per_variant": 152}
    assert get(api, "experiments/plan/?deviation=10&difference=2") == {"customers_per_variant": 393}
    for wrong in ("", "baseline=0.6", "baseline=2&lift=0.1", "baseline=0.6&lift=0", "deviation=0&difference=1"):
        get(api, f"experiments/plan/?{wrong}", 400)
    for wrong in ("baseline=nan&lift=0.1", "baseline=0.1&lift=inf", "deviation=1e300&difference=1e-300"):
        get(api, f"experiments/plan/?{wrong}", 400)


def test_a_viewer_reads_and_changes_nothing(api: Client) -> None:
    send(api, "POST", "experiments/", BOW, 201)
    viewer = client_of("viewer")
    assert get(viewer, "experiments/bow/results/")["verdict"] == "none"
    send(viewer, "POST", "experiments/bow/start/", code=403)
