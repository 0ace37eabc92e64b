"""Forecasts of silence come true as often as they say, also where customers do not buy as the model supposes: proved on
made-up customers whose ways are known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import expit, logit

from analytics.value.calibrating import Correction, correction
from analytics.value.documents import Worth
from analytics.value.everybody import Everybody, Known
from analytics.value.fitting import fit
from analytics.value.proving import RISK_DAYS, Proof, days_needed, proof, tenths
from analytics.value.purchases import Floats, counted

CUSTOMERS, DAYS = 12_000, 900


@dataclass(frozen=True)
class Ways:
    """How made-up customers buy: rates are gamma (r, alpha), chances of being lost after each order beta (a, b); gaps
    are sums of `evenness` exponential parts, 1 being at random; within `season` they come `lifted` times
    as fast."""

    r: float = 1.4
    alpha: float = 55.0
    a: float = 0.6
    b: float = 4.0
    evenness: int = 1
    season: tuple[int, int] | None = None
    lifted: float = 1.0


def made(ways: Ways, *, seed: int, customers: int = CUSTOMERS) -> Everybody:
    """Customers first seen within the first 700 days, as of the end of the last day."""
    random = np.random.default_rng(seed)
    rate = random.gamma(ways.r, 1 / ways.alpha, customers)
    dropout = random.beta(ways.a, ways.b, customers)
    at = random.uniform(0, 700, customers)
    who, when = [np.arange(customers)], [at.copy()]
    here = np.flatnonzero(random.random(customers) >= dropout)
    while len(here):
        gap = random.gamma(ways.evenness, 1 / ways.evenness, len(here)) / np.maximum(rate[here], 1e-9)
        at[here] = _later(at[here], gap, ways)
        here = here[at[here] < DAYS + 1]
        who.append(here)
        when.append(at[here].copy())
        here = here[random.random(len(here)) >= dropout[here]]
    customer, day = np.concatenate(who), np.floor(np.concatenate(when)).astype(np.int64)
    latest = counted(customer=customer, day=day, until=DAYS)
    known = {}
    for asked in (*days_needed(DAYS), DAYS):
        then = counted(customer=customer, day=day, until=asked)
        place = np.searchsorted(latest.customer, then.customer)
        repeats, last = np.full(len(latest.customer), -1, np.int64), np.zeros(len(latest.customer), np.int64)
        repeats[place], last[place] = then.repeats, then.last
        known[asked] = Known(repeats, last)
    nothing = np.zeros(len(latest.customer), np.int64)
    return Everybody(
        until=DAYS,
        start=0,
        cut=DAYS,
        customer=latest.customer,
        first=latest.first,
        known=known,
        revenue=nothing,
        mean=nothing.astype(np.float64),
        repeat_days=nothing,
        lost=np.empty(0, np.int64),
        open=np.empty(0, np.int64),
        with_contract=0,
    )


def _later(at: Floats, gap: Floats, ways: Ways) -> Floats:
    """When the next order comes: within the season time runs faster."""
    if ways.season is None:
        return at + gap
    begins, ends = ways.season
    more = ways.lifted - 1

    def inner(day: Floats) -> Floats:
        return day + more * (np.clip(day, begins, ends) - begins)

    reached = inner(at) + gap
    long = inner(np.array([float(ends)]))[0]
    return np.where(
        reached <= begins,
        reached,
        np.where(reached <= long, begins + (reached - begins) / ways.lifted, reached - more * (ends - begins)),
    )


def proved(ways: Ways, *, seed: int = 4) -> tuple[Everybody, Proof]:
    people = made(ways, seed=seed)
    found = proof(people)
    assert isinstance(found, Proof)
    return people, found


def test_a_correction_that_is_known_is_found_again() -> None:
    random = np.random.default_rng(3)
    foretold = random.beta(2, 1.5, 200_000)
    came = (random.random(len(foretold)) < expit(-0.4 + 0.8 * logit(foretold))).astype(np.float64)
    found = correction(foretold=foretold, came=came)
    assert found is not None
    assert found.intercept == pytest.approx(-0.4, abs=0.02)
    assert found.slope == pytest.approx(0.8, abs=0.02)
    assert found.corrected(foretold).mean() == pytest.approx(came.mean())  # what the intercept is for


def test_no_correction_is_learned_from_forecasts_that_told_nothing() -> None:
    half, came = np.full(500, 0.5), np.arange(500) % 2 * 1.0
    assert correction(foretold=half, came=came) is None
    foretold = np.linspace(0.1, 0.9, 500)
    assert correction(foretold=foretold, came=np.ones(500)) is None
    assert correction(foretold=foretold, came=(foretold < 0.5) * 1.0) is None  # the opposite came
    assert correction(foretold=np.empty(0), came=np.empty(0)) is None


def test_a_correction_keeps_the_order_of_customers_and_stays_between_nothing_and_one() -> None:
    found = Correction(-1.5, 0.7, 9).corrected(np.array([0.0, 0.2, 0.5, 0.9, 1.0]))
    assert (np.diff(found) > 0).all()
    assert (found > 0).all()
    assert (found < 1).all()


def test_of_customers_who_buy_as_the_model_supposes_the_risk_comes_true_band_by_band() -> None:
    _people, found = proved(Ways())
    for band in found.bands:
        if band.customers >= 300:
            # The interval is of what came; the model's own error, fitted to so many, is a point or so.
            assert band.low - 0.015 <= band.foretold <= band.high + 0.015, band
    # There is nothing to correct: with or without, it is the same forecast.
    assert found.error == pytest.approx(found.uncorrected_error, rel=0.01)


def test_where_customers_buy_evenly_the_model_foretells_too_much_silence_and_the_correction_takes_it_off() -> None:
    people, found = proved(Ways(evenness=4))
    first, _learned = days_needed(DAYS)
    together, places = people.buyers(first)
    model = fit("mbg", together.purchases).model
    assert model is not None
    plain = model.silent(together.purchases, RISK_DAYS)[together.row]
    came = people.known[first].repeats[places] == people.known[DAYS].repeats[places]
    off = {
        number: float(plain[inside].mean() - came[inside].mean())
        for number in range(1, 11)
        if (inside := tenths(plain) == number).sum() >= 300
    }
    assert max(off.values()) > 0.08  # what this is about
    assert found.judged is not None
    assert found.error < found.uncorrected_error
    corrected = [abs(band.foretold - band.came) for band in found.bands if band.customers >= 300]
    assert max(corrected) < max(abs(one) for one in off.values()) / 2
    whole = sum(band.foretold * band.customers for band in found.bands) / found.customers
    assert whole == pytest.approx(found.silent / found.customers, abs=0.02)


def test_the_correction_that_is_judged_was_learned_before_what_it_is_judged_by() -> None:
    people, found = proved(Ways(evenness=4))
    made_on, _learned = days_needed(DAYS)
    # Had some of those who came stayed away, the forecasts made before it would have been corrected the same way.
    known = {day: Known(one.repeats.copy(), one.last.copy()) for day, one in people.known.items()}
    away = np.flatnonzero(known[DAYS].repeats > known[made_on].repeats)[::50]
    known[DAYS].repeats[away] = known[made_on].repeats[away]
    again = proof(replace(people, known=known))
    assert isinstance(again, Proof)
    assert again.silent > found.silent
    assert found.judged is not None
    assert again.judged == found.judged
    assert again.told != found.told


def test_a_correction_that_would_have_made_forecasts_worse_is_left_out() -> None:
    # Everybody buys three times as fast in the last stretch but one, and as before in the last.
    _people, found = proved(Ways(season=(DAYS - 2 * RISK_DAYS, DAYS - RISK_DAYS), lifted=3.0))
    assert found.judged is None
    assert found.told is None
    assert found.error == found.uncorrected_error


def test_the_risk_that_is_told_is_the_corrected_one() -> None:
    people, found = proved(Ways(evenness=4))
    together, _places = people.buyers(DAYS)
    model = fit("mbg", together.purchases).model
    assert model is not None
    assert found.told is not None
    plain = Worth(model, tells_alive=True, values=None, tells_risk=True).risk(together.purchases, RISK_DAYS)
    told = Worth(model, tells_alive=True, values=None, tells_risk=True, correction=found.told)
    assert told.risk(together.purchases, RISK_DAYS) == pytest.approx(found.told.corrected(plain))
    assert plain == pytest.approx(model.silent(together.purchases, RISK_DAYS))


def test_a_season_of_the_last_days_is_told_apart_from_a_model_that_is_wrong() -> None:
    _people, found = proved(Ways(season=(DAYS - RISK_DAYS, DAYS + 1), lifted=2.0))
    whole = sum(band.foretold * band.customers for band in found.bands) / found.customers
    assert whole - found.silent / found.customers > 0.05
    assert found.before is not None
    assert found.before.foretold == pytest.approx(found.before.came, abs=0.02)
