"""The statistics that are kept per day: what each answers, at what grain, and what must happen for it to change. How
far one is counted is a row of `Counting`; how it is counted stands in `counts`."""

from dataclasses import dataclass

# Lengths in days of the windows that figures over a period are kept for: the periods that pages offer.
LENGTHS = (30, 90, 365)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One declared statistic. tables: where its rows are; rests_on: what changes it; per_version: counted apart for the
    live version of each stage model and segment."""

    name: str
    question: str
    grain: str
    tables: tuple[str, ...]
    rests_on: tuple[str, ...]
    per_version: bool = False


STAGES = Statistic(
    name="stages",
    question="How many customers are in each stage at the end of a day, who entered and left, and from where to where"
    " did people come within the last 30, 90 and 365 days?",
    grain="version, day, stage; version, length, until, pair of stages",
    tables=("StageDay", "StageMove", "StageShift", "Member"),
    rests_on=("transitions recorded and superseded", "a published version", "the business time zone"),
    per_version=True,
)
SALES = Statistic(
    name="sales",
    question="What was bought and refunded on a day, by how many, by how many for the first time; and who was active or"
    " ordered within the last 30, 90 and 365 days?",
    grain="day, lines; length, lines, until",
    tables=("SalesDay", "Activity"),
    rests_on=(
        "purchases and refunds received",
        "profiles that changed hands",
        "transitions of the segment of active customers",
        "the types mapped to purchase and refund",
        "the business time zone",
    ),
)
SEEN = Statistic(
    name="seen",
    question="What has each source ever sent, of which types, from when until when?",
    grain="source, type",
    tables=("Seen",),
    rests_on=("touchpoints received",),
)
FALLS = Statistic(
    name="falls",
    question="Who will lapse within 30 days if nothing else happens?",
    grain="version, customer",
    tables=("Fall",),
    rests_on=("everything that stages rest on", "time"),
    per_version=True,
)
LISTED = Statistic(
    name="listed",
    question="When was each customer seen last, how often have they ordered, and for how much: the orders of the list?",
    grain="customer",
    tables=("Listed",),
    rests_on=(
        "touchpoints received",
        "portraits that changed",
        "profiles that changed hands",
        "the types mapped to purchase and refund",
    ),
)
ACQUISITION = Statistic(
    name="acquisition",
    question="Over which marketing touches did customers come to their first order and to every other, what does each"
    " attribution model credit each channel with, and what have those who first ordered in a month brought since?",
    grain="customer; order; lookback, model, day, channel; lookback, day, pair of channels; month, months later",
    tables=("Acquired", "OrderPath", "CreditDay", "PathStep", "CohortMonth", "CohortDraw"),
    rests_on=(
        "touchpoints received",
        "profiles that changed hands",
        "the types mapped to exposure, visit, purchase and refund",
        "the channels of campaigns",
        "the business time zone",
    ),
)
PACKS = Statistic(
    name="packs",
    question="What is believed of whom, and who bought what: all histories in narrow columns, for what is not kept?",
    grain="version, range of customers",
    tables=("StagePack", "SoldPack", "BegunPack"),
    rests_on=("everything that stages and sales rest on",),
    per_version=True,
)
# What is not as of the instant that the figures beside it are as of.
APART = (FALLS.name, LISTED.name, ACQUISITION.name, PACKS.name)
STATISTICS = {statistic.name: statistic for statistic in (STAGES, SALES, SEEN, FALLS, LISTED, ACQUISITION, PACKS)}
