"""Does a change do what was predicted, and how long does predicting take? On whatever the database holds (a simulated
population, or Online Retail): three changes, to a stage's rule, to a named rule that many use, to the segment of active
customers. Of each: the first estimate from a sample, the exact count for everybody; then it is published, and every
customer untouched since is held against its prediction. One that came out otherwise ends the run with an error.

At the end of each everything is published back as it was, so the rules are those of before."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import measuring

STEP = 20_000


def revisions() -> dict[str, Callable[[], Any]]:
    """By name, what drafts one change."""
    from lifecycle.models import Subject
    from lifecycle.revise import edit_segment, edit_stage, edit_sub_rule

    model = Subject.objects.get(kind="model", key="seven").pk
    active = Subject.objects.get(key="active_customer").pk
    bought = {"did": {"role": "purchase"}, "at_least": 3, "within": "365d"}
    return {
        "a stage": lambda: edit_stage(model=model, stage="retention", rule={"all": [{"rule": "alive"}, bought]}),
        "a named rule": lambda: edit_sub_rule(name="ended", rule={"did": {"role": "cancel"}, "within": "90d"}),
        "active customers": lambda: edit_segment(segment=active, rule={"did": {"role": "purchase"}, "within": "120d"}),
    }


def predicted(pairs: Any, at: Any) -> dict[int, Any]:
    """By subject: the stage predicted for each customer, in order of id, and the ids."""
    import numpy as np

    from customers.models import Customer
    from lifecycle.load import load
    from lifecycle.what_if import compared, program_of

    ids = np.array(list(Customer.objects.order_by("pk").values_list("pk", flat=True)), np.int64)
    parts: dict[int, list[Any]] = {pair.subject: [] for pair in pairs}
    for start in range(0, len(ids), STEP):
        loaded = load(customers=ids[start : start + STEP], program=program_of(pairs))
        for subject, one in compared(pairs=pairs, loaded=loaded, at=at, since=at).items():
            parts[subject].append(one.after)
    return {
        subject: dict(zip(ids.tolist(), np.concatenate(some).tolist(), strict=True)) for subject, some in parts.items()
    }


def wrong(forecast: dict[int, Any], at: Any) -> tuple[int, int]:
    """Customers compared, and how many of them stand elsewhere than predicted though nothing new is known of them."""
    from customers.models import Profile, Touchpoint
    from lifecycle.models import Standing, Transition

    touched = set(
        Profile.objects.filter(pk__in=Touchpoint.objects.filter(received_at__gt=at).values("profile")).values_list(
            "customer", flat=True
        )
    )
    # By time alone: whoever entered a stage after the instant of the prediction.
    entered = Transition.objects.filter(superseded_at=None, entered_at__gt=at).values_list("customer_id", flat=True)
    touched |= set(entered)
    compared = astray = 0
    for subject, stages in forecast.items():
        stands = dict(Standing.objects.filter(subject=subject).values_list("customer_id", "stage_id"))
        untouched = [customer for customer in stages if customer not in touched]
        compared = max(compared, len(untouched))
        astray += sum(stages[customer] != stands.get(customer, 0) for customer in untouched)
    return compared, astray


def _estimate(revision: int) -> None:
    from customers.ingest import clock
    from lifecycle.previews import estimated_change

    estimated_change(revision=revision, now=clock())


def main() -> None:
    measuring.begin("What would a change of rules do, and does it do that?")
    measuring.start_django()
    from customers.ingest import clock
    from lifecycle.models import SubRule, Version
    from lifecycle.previews import counted, estimated_change, start_preview, work_on_previews
    from lifecycle.publications import ask_to_publish, publish_asked
    from lifecycle.revise import revise
    from lifecycle.what_if import pairs_of

    measuring.need_touchpoints(1)
    results, failed = [], 0
    for name, draft in revisions().items():
        texts = dict(SubRule.objects.values_list("name", "document"))
        revision = draft()
        pairs = pairs_of(revision=revision.pk)
        before = {pair.subject: Version.objects.get(pk=pair.before).document for pair in pairs if pair.before}
        estimated_change(revision=revision.pk, now=clock())  # compiles
        results.append(
            measuring.measured(
                f"{name}: first estimate",
                partial(_estimate, revision.pk),
                repeats=5,
            )
        )
        sample = estimated_change(revision=revision.pk, now=clock())
        preview = start_preview(revision=revision.pk, now=clock())
        began = time.perf_counter()
        work_on_previews()
        preview.refresh_from_db()
        found = counted(preview=preview)
        assert found is not None
        took = time.perf_counter() - began
        results.append(measuring.Measured(f"{name}: exact, one process", (took,), found.customers, "customers"))
        at = clock()
        forecast = predicted(pairs, at)
        ask_to_publish(revision=revision.pk, now=clock())
        began = time.perf_counter()
        assert publish_asked() == 1
        results.append(
            measuring.Measured(f"{name}: publish", (time.perf_counter() - began,), found.customers, "customers")
        )
        compared, astray = wrong(forecast, at)
        failed += astray
        moved = sum(n for one in found.tallies.values() for (was, then), n in one.cells.items() if was != then)
        print(
            f"{name}: {sample.sampled:,} of {sample.customers:,} customers sampled; {moved:,} moves predicted;"
            f" {compared:,} customers untouched since, {astray:,} of them not as predicted",
            flush=True,
        )
        back = revise(documents=before, sub_rules={key: texts[key] for key in revision.sub_rules}, note="Back.")
        ask_to_publish(revision=back.pk, now=clock())
        assert publish_asked() == 1
    report_memory = measuring.peak_resident_mb()
    measuring.report("What if", results)
    print(f"most memory: {report_memory:.0f} MB" if report_memory else "")
    if failed:
        raise SystemExit(f"{failed} customers did not come out as predicted")


if __name__ == "__main__":
    main()
