"""Rules said in English."""

import pytest

from lifecycle.rules.describe import sentence
from lifecycle.rules.parse import parse_rule
from tests.lifecycle.spec.case import Case, parsed
from tests.lifecycle.spec.topics import TOPICS

BUY = {"did": {"role": "purchase"}}
OPEN = {"since": {"role": "subscribe"}, "until": {"role": "cancel"}}
SEGMENTS = {"vip": {"subject": 1, "name": "Very %s", "rule": BUY}}
MODELS = {
    "two": {
        "subject": 2,
        "name": "Two",
        "stages": [{"key": "in", "name": "Inside", "rule": BUY}],
        "exit": {"key": "out", "name": "Out"},
    }
}
RULES = {"buyer": BUY, "fan": {"rule": "buyer"}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"did": {}}, "has at some time had a touchpoint"),
        ({**BUY, "within": "90d"}, "has had a purchase in the last 90 days"),
        ({**BUY, "within": "1d"}, "has had a purchase in the last day"),
        ({**BUY, "within": "90m"}, "has had a purchase in the last 90 minutes"),
        ({**BUY, "within": "36h"}, "has had a purchase in the last 36 hours"),
        ({**BUY, "within": "2w"}, "has had a purchase in the last 14 days"),
        ({**BUY, "at_least": 2, "within": "L"}, "has had at least 2 purchases in the last 180 days"),
        ({**BUY, "on_days": 3, "within": "28d"}, "has had purchases on at least 3 different days in the last 28 days"),
        ({"did": {"any_activity": True}, "within": "L"}, "has had an activity in the last 180 days"),
        (
            {"did": {"role": ["upgrade", "cart"], "type": "T", "channel": ["web", "app"]}},
            "has at some time had a cart change or upgrade of type “T” over “app” or “web”",
        ),
        (
            {"did": {"where": [{"property": "nps", "gte": 9, "lt": 10.5}, {"property": "x", "in": ["a", True]}]}},
            "has at some time had a touchpoint whose “nps” is at least 9 and is below 10.5 and “x” is one of “a”, true",
        ),
        (
            {"did": {"where": [{"property": "d", "before": "2026-01-01"}, {"property": "e", "exists": False}]}},
            "has at some time had a touchpoint whose “d” is before 2026-01-01 and “e” is not set",
        ),
        (
            {"spent": {"role": "purchase"}, "at_least": "1000.5", "within": "30d"},
            "has had purchases worth at least 1,000.50 EUR in total in the last 30 days",
        ),
        (
            {"grew": {"role": ["purchase", "refund"]}, "by": "1.25", "within": "180d"},
            "has had purchases or refunds in the last 180 days worth at least 1.25 times those of the 180 days before",
        ),
        (OPEN, "has had a subscription start and since the latest no cancellation"),
        (
            {"held": OPEN, "for": "90d"},
            "has for 90 days without a break been one who (has had a subscription start and since the latest no "
            "cancellation)",
        ),
        ({"held": {"rule": "buyer"}, "for": "1d"}, "has met “buyer” for 1 day without a break"),
        ({"lately": {"rule": "buyer"}, "within": "30d"}, "met “buyer” at some time in the last 30 days"),
        ({"lately": BUY, "within": "1h"}, "was at some time in the last hour one who has at some time had a purchase"),
        ({"not": BUY}, "has never had a purchase"),
        ({"not": {**BUY, "within": "30d"}}, "has had no purchase in the last 30 days"),
        ({"not": {**BUY, "at_least": 3, "within": "30d"}}, "has had fewer than 3 purchases in the last 30 days"),
        ({"not": {"rule": "buyer"}}, "does not meet “buyer”"),
        ({"not": {"held": {"rule": "buyer"}, "for": "30d"}}, "has not yet met “buyer” for 30 days without a break"),
        (
            {"all": [{"rule": "buyer"}, {"any": [BUY, {"not": {"rule": "fan"}}]}]},
            "meets “buyer” and (either has at some time had a purchase or does not meet “fan”)",
        ),
        ({"not": {"all": [{"rule": "buyer"}, {"rule": "fan"}]}}, "is not one who (meets “buyer” and meets “fan”)"),
        ({"all": [{"any": [{"rule": "buyer"}]}]}, "meets “buyer”"),
        ({"rule": "fan"}, "has at some time had a purchase"),
        ({"trait": "plan", "is": "pro"}, "has a “plan” that is “pro”"),
        ({"trait": "seats", "lt": 9, "gte": 2.5}, "has a “seats” that is at least 2.5 and is below 9"),
        ({"trait": "plan", "exists": True}, "has a “plan”"),
        ({"trait": "plan", "exists": False}, "has no “plan”"),
        ({"not": {"trait": "plan", "is": "pro"}}, "has no “plan” that is “pro”"),
        ({"not": {"trait": "plan", "exists": False}}, "is not one who has no “plan”"),
        ({"trait": "score:churn", "gte": 8}, "has a score “churn” that is at least 8"),
        ({"segment": "vip"}, "is in the segment “Very %s”"),
        ({"not": {"segment": "vip"}}, "is not in the segment “Very %s”"),
        ({"stage": ["two", "in"]}, "is in the stage “Inside” of “Two”"),
        ({"not": {"stage": ["two", "out"]}}, "is not in the stage “Out” of “Two”"),
        ({"held": {"segment": "vip"}, "for": "7d"}, "has been in the segment “Very %s” for 7 days without a break"),
        (
            {"lately": {"stage": ["two", "in"]}, "within": "1d"},
            "was in the stage “Inside” of “Two” at some time in the last day",
        ),
    ],
)
def test_every_node_is_said_in_english(document, said):
    node = parse_rule(document, lapse_days=180, sub_rules=RULES, segments=SEGMENTS, models=MODELS)
    assert sentence(node) == f"The customer {said}."


def test_money_is_said_in_the_currency_of_reports():
    node = parse_rule({"spent": {}, "at_least": "1500"}, lapse_days=180, minor_digits=0)
    assert "at least 1,500 JPY in total" in sentence(node, currency="JPY", minor_digits=0)


def test_different_rules_of_the_specification_have_different_sentences():
    said: dict[str, object] = {}
    for case in (case for topic in TOPICS for case in topic.cases if isinstance(case, Case)):
        node = parsed(case)
        assert said.setdefault(sentence(node), node) == node
