"""How simulated people buy: a BG/NBD process in continuous time, and what comes before and after an order."""

import numpy as np
import numpy.typing as npt

from .kinds import PRODUCTS, SCORES, SUBJECTS, SURVEYS, Kind
from .parameters import Parameters
from .timeline import DAY, HOUR, MINUTE, Int64s, Random, Span, Timeline, chosen, days, ordinals, picked, repeated


def orders(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    shoppers: Int64s,
    since: Int64s,
    span: Span,
    web: int,
    email: int,
    chat: int,
    later: Random,
) -> None:
    """Orders of people who buy singly, with their carts, refunds, tickets and opinions. since: when they signed up;
    later: chance of kinds that came later."""
    buying = chosen(random, np.arange(len(shoppers), dtype=np.int64), parameters.first_order_share)
    idle = chosen(random, np.setdiff1d(np.arange(len(shoppers)), buying), parameters.idle_cart_share)
    at = since[idle] + HOUR + days(random.exponential(4.0, len(idle)))
    line.add(Kind.CART, shoppers[idle], at, channel=web, value=_products(random, len(idle)))

    first = since[buying] + DAY / 2 + days(random.exponential(parameters.first_order_days, len(buying)))
    buyer, at = purchases(parameters, random, first, span)
    person = shoppers[buying][buyer]
    number = ordinals(buyer)
    mean_amount = random.gamma(parameters.spend_q, 1.0, len(buying))
    rate = mean_amount / parameters.spend_gamma
    whole = random.gamma(parameters.spend_p, 1.0, len(buyer)) / rate[buyer]
    amount = np.maximum(1, np.rint(whole * span.minor)).astype(np.int64)
    line.add(Kind.ORDER, person, at, channel=web, amount=amount, ref=number)
    carts(parameters, random, line, person, at, web)
    _refunds(parameters, random, line, person, at, amount, number, web)
    tickets(parameters, random, line, person, at, number, email, chat, later)
    opinions(parameters, random, line, person, at, web, email, later)
    efforts(parameters, line, person, at, email, later)


def purchases(
    parameters: Parameters, random: Random, first: npt.NDArray[np.float64], span: Span
) -> tuple[Int64s, npt.NDArray[np.float64]]:
    """Instants of purchases before the end: (position of the buyer, ms), by buyer and time. Buyers buy again after an
    exponential time at a rate of their own; each purchase but the first is the last with a probability of their own."""
    rate = random.gamma(parameters.purchase_r, 1.0, len(first)) / parameters.purchase_alpha / DAY
    dropout = random.beta(parameters.dropout_a, parameters.dropout_b, len(first))
    left = np.flatnonzero(first < span.until)
    at = first.copy()
    buyers, instants = [left], [at[left]]
    while len(left):
        with np.errstate(divide="ignore", over="ignore"):  # a rate so small that there is no next time
            at[left] += random.exponential(1.0, len(left)) / rate[left]
        left = left[at[left] < span.until]
        buyers.append(left)
        instants.append(at[left])
        left = left[random.random(len(left)) >= dropout[left]]
    buyer, instant = np.concatenate(buyers), np.concatenate(instants)
    order = np.lexsort((instant, buyer))
    return buyer[order], instant[order]


def carts(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    person: Int64s,
    at: npt.NDArray[np.float64],
    web: int,
) -> None:
    """The cart and the checkout of each order, and the carts abandoned within the hours before it."""
    filled = at - MINUTE * (5 + 35 * random.random(len(at)))
    line.add(Kind.CART, person, filled, channel=web, value=_products(random, len(at)))
    line.add(Kind.CHECKOUT, person, at - MINUTE * (1 + 3 * random.random(len(at))), channel=web)
    which = np.repeat(np.arange(len(at)), random.geometric(parameters.cart_conversion, len(at)) - 1)
    left_at = at[which] - HOUR * (1 + 10 * random.random(len(which)))
    line.add(Kind.CART, person[which], left_at, channel=web, value=_products(random, len(which)))
    tried = np.flatnonzero(random.random(len(which)) < parameters.checkout_share)
    line.add(Kind.CHECKOUT, person[which][tried], left_at[tried] + 3 * MINUTE, channel=web)


def _products(random: Random, count: int) -> Int64s:
    return random.integers(0, len(PRODUCTS), count)


def _refunds(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    person: Int64s,
    at: npt.NDArray[np.float64],
    amount: Int64s,
    number: Int64s,
    web: int,
) -> None:
    back = np.flatnonzero(random.random(len(at)) < parameters.refund_share)
    is_partial = random.random(len(back)) < parameters.partial_refund_share
    returned = np.where(is_partial, (amount[back] + 1) // 2, amount[back])
    refunded_at = at[back] + DAY + days(random.gamma(2.0, 4.0, len(back)))
    line.add(Kind.REFUND, person[back], refunded_at, channel=web, amount=-returned, ref=number[back])


def tickets(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    person: Int64s,
    at: npt.NDArray[np.float64],
    number: Int64s,
    email: int,
    chat: int,
    later: Random,
) -> None:
    """Questions about an order: opened, replied to, perhaps resolved, perhaps marked when asked how it was."""
    asked = np.flatnonzero(random.random(len(at)) < parameters.ticket_share)
    who, ref = person[asked], number[asked]
    subject = random.integers(0, len(SUBJECTS), len(asked))
    way = np.where(random.random(len(asked)) < 0.4, chat, email)
    opened = at[asked] + HOUR + days(random.random(len(asked)) * 8)
    line.add(Kind.OPENED, who, opened, channel=way, value=subject, ref=ref)
    replied = opened + 5 * MINUTE + days(random.exponential(0.3, len(asked)))
    line.add(Kind.REPLIED, who, replied, channel=way, value=subject, ref=ref)
    again = repeated(random, asked, parameters.further_replies)
    next_reply = replied[again] + HOUR * random.random(len(again))
    line.add(Kind.REPLIED, who[again], next_reply, channel=way[again], value=subject[again], ref=ref[again])
    done = np.flatnonzero(random.random(len(asked)) < parameters.resolved_share)
    resolved = replied[done] + HOUR + days(random.exponential(0.5, len(done)))
    line.add(Kind.RESOLVED, who[done], resolved, channel=way[done], value=subject[done], ref=ref[done])
    marked = np.flatnonzero(random.random(len(done)) < parameters.csat_share)
    csat = 1 + picked(random, parameters.csat, len(marked))
    marked_at = resolved[marked] + MINUTE + days(random.exponential(0.5, len(marked)))
    said = csat + _commented(parameters, later, "csat", len(csat))
    line.add(Kind.CSAT, who[done][marked], marked_at, channel=email, value=said)
    has_answered = np.isin(np.arange(len(done)), marked)
    asked_too = _asked_too(later, has_answered, share=parameters.csat_share, response=parameters.csat_response)
    line.add(Kind.ASKED, who[done][asked_too], resolved[asked_too] + MINUTE / 2, channel=email, value=_CSAT)


def opinions(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    person: Int64s,
    at: npt.NDArray[np.float64],
    web: int,
    email: int,
    later: Random,
) -> None:
    """Surveys and answers to them, reviews, referrals of those who would recommend us, and things told to others."""
    asked = np.flatnonzero(random.random(len(at)) < parameters.nps_share)
    nps = picked(random, parameters.nps, len(asked))
    answered = at[asked] + days(5 + random.exponential(2.0, len(asked)))
    said = nps + _commented(parameters, later, "nps", len(nps))
    line.add(Kind.NPS, person[asked], answered, channel=email, value=said)
    has_answered = np.isin(np.arange(len(at)), asked)
    asked_too = _asked_too(later, has_answered, share=parameters.nps_share, response=parameters.nps_response)
    line.add(Kind.ASKED, person[asked_too], at[asked_too] + 4 * DAY, channel=email, value=_NPS)
    happy = np.flatnonzero((nps >= 9) & (random.random(len(asked)) < parameters.referral_share))
    told_at = answered[happy] + HOUR + days(random.exponential(6.0, len(happy)))
    line.add(Kind.REFERRAL, person[asked][happy], told_at, channel=web)
    wrote = np.flatnonzero(random.random(len(at)) < parameters.review_share)
    rating = 1 + picked(random, parameters.rating, len(wrote))
    line.add(
        Kind.REVIEW, person[wrote], at[wrote] + days(4 + random.exponential(5.0, len(wrote))), channel=web, value=rating
    )
    shared = np.flatnonzero(random.random(len(at)) < parameters.share_share)
    shared_at = at[shared] + days(random.exponential(3.0, len(shared)))
    line.add(Kind.SHARED, person[shared], shared_at, channel=web, value=_products(random, len(shared)))


def efforts(
    parameters: Parameters,
    line: Timeline,
    person: Int64s,
    at: npt.NDArray[np.float64],
    email: int,
    later: Random,
) -> None:
    """Who is asked after an order how easy it was, and what some of them answer."""
    asked = np.flatnonzero(later.random(len(at)) < parameters.ces_asked_share)
    line.add(Kind.ASKED, person[asked], at[asked] + 2 * DAY, channel=email, value=_CES)
    answering = asked[later.random(len(asked)) < parameters.ces_response]
    ces = 1 + picked(later, parameters.ces, len(answering))
    answered = at[answering] + days(2.01 + later.exponential(1.0, len(answering)))
    said = ces + _commented(parameters, later, "ces", len(ces))
    line.add(Kind.CES, person[answering], answered, channel=email, value=said)


_NPS, _CSAT, _CES = (SURVEYS.index(survey) for survey in ("nps", "csat", "ces"))


def _commented(parameters: Parameters, later: Random, survey: str, count: int) -> Int64s:
    """How much further on in what answers of a survey can say those stand that have a comment; 0 for the others."""
    scores, _fair, _good = SCORES[survey]
    number = later.integers(1, 4, count)
    return np.where(later.random(count) < parameters.comment_share, number * scores, 0).astype(np.int64)


def _asked_too(later: Random, has_answered: npt.NDArray[np.bool_], *, share: float, response: float) -> Int64s:
    """Positions of whoever was asked: those who answered, and as many others as leave them the response. share: of
    those who could be asked, who answer."""
    silent = share * (1 / response - 1) / (1 - share)
    return np.flatnonzero(has_answered | (later.random(len(has_answered)) < silent))
