"""/api/v1/spend/file/: a file of spend, looked at or entered as a whole: a table of one's own, or an advertising tool's
export of costs."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar, Protocol

from django.utils.translation import ngettext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.spend_file import LONGEST, checked, enter_lines
from clm.lib.problems import BadInput
from customers.ingest import clock

from .acting import act
from .answering import Amount
from .asking import Asking, Body

MOST_FAULTS = 200


class SpendFileTold(Body):
    text = serializers.CharField(
        max_length=LONGEST, trim_whitespace=False, help_text="The file, with the line that names its columns."
    )
    check = serializers.BooleanField(
        required=False, default=False, help_text="True: only say what entering it would do."
    )


class LineFaultShape(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="Of the file, from 1.")
    field = serializers.CharField()
    message = serializers.CharField()


class SpendFileShape(serializers.Serializer[Any]):
    """What its lines do, or would do."""

    preset = serializers.CharField(
        allow_blank=True,
        help_text="Whose export it is: Google Ads, Meta Ads, LinkedIn Ads; empty: a table of one's own.",
    )
    entered = serializers.BooleanField()
    new = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="Entries that are known with another amount.")
    same = serializers.IntegerField(help_text="Entries that are known already.")
    faulty = serializers.IntegerField()
    amount = Amount(help_text="What the new and the changed ones come to, in the reporting currency.")
    new_channels = serializers.ListField(
        child=serializers.CharField(), help_text="Channels never seen before, which entering it makes: look for slips."
    )
    faults = LineFaultShape(many=True, help_text=f"At most {MOST_FAULTS}; none when it was entered.")


class SpendFile(APIView):
    permission_needed: ClassVar[str] = "spend.edit"

    @act(
        operation_id="spend_file",
        summary="Enter a file of spend, all lines or none",
        description=(
            "A table with the columns day (or date), channel, amount and, where wanted, campaign, currency and "
            "paid_media; or an export of costs by campaign and day from Google Ads, Meta Ads Manager or LinkedIn "
            "Campaign Manager, which is recognised by its columns. A line that is known corrects its entry. With a "
            "faulty line nothing is entered (400) and every fault is told."
        ),
        request=SpendFileTold,
        responses={200: SpendFileShape},
    )
    def post(self, request: Request) -> Response:
        asking, told = Asking(now=clock()), SpendFileTold.of_request(request)
        found = checked(text=told["text"], now=asking.now)
        enters = not told["check"]
        if enters:
            if found.count("faulty"):
                raise BadInput(faulty_lines(found.count("faulty")), errors=line_errors(found.lines))
            enter_lines(text=told["text"], now=asking.now)
        answer = {
            "preset": found.preset,
            "entered": enters,
            "new": found.count("new"),
            "changed": found.count("changes"),
            "same": found.count("same"),
            "faulty": found.count("faulty"),
            "amount": found.units,
            "new_channels": sorted(found.new_channels),
            "faults": [
                {"line": line.number, "field": field, "message": str(message)}
                for line in found.lines
                for field, message in line.faults.items()
            ][:MOST_FAULTS],
        }
        return Response(SpendFileShape(answer, context=asking.context).data)


def faulty_lines(count: int) -> str:
    """That nothing was entered, and how many lines are why."""
    said = ngettext(
        "Nothing was entered: %(count)d line is faulty.", "Nothing was entered: %(count)d lines are faulty.", count
    )
    return said % {"count": count}


class FaultyLine(Protocol):
    """A line of a file, and what is wrong with it by column."""

    @property
    def number(self) -> int: ...

    @property
    def faults(self) -> Mapping[str, str]: ...


def line_errors(lines: Iterable[FaultyLine]) -> list[dict[str, str]]:
    """What is wrong with the lines of a file, as the errors of a problem, not more than anybody reads."""
    told = (
        {"field": f"line {line.number}, {field}", "message": str(message)}
        for line in lines
        for field, message in line.faults.items()
    )
    return list(islice(told, MOST_FAULTS))
