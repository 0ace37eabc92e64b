"""/api/v1/reports/: pages of figures that come by mail, who receives them, and what became of every mail."""

import re
from datetime import time
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import NotThereError
from customers.ingest import clock
from customers.models import Installation

from ..models import Mailing, Recipient, Report, Sending
from ..reports.keeping import (
    LONGEST_NAME,
    LONGEST_QUESTION,
    MOST_PAGES,
    add_outsider,
    add_user,
    ask_preview,
    change_report,
    create_report,
    pause,
    remove_recipient,
    remove_report,
    resume,
    send_again,
)
from ..reports.letters import Letter
from ..reports.spans import SPANS
from ..reports.views import VIEWS
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .customers import author_of
from .lists import ListView


class PageShape(serializers.Serializer[Any]):
    view = serializers.CharField()
    question = serializers.CharField()


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "08:00"})
class Clock(serializers.TimeField):
    """A time of the clock, to the minute."""

    def to_representation(self, value: Any) -> str:
        return f"{value:%H:%M}"

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value, re.ASCII):
            raise serializers.ValidationError("This is no time; write it like 08:00.")
        return time.fromisoformat(value)


class PageTold(Body):
    view = serializers.ChoiceField(choices=list(VIEWS), help_text="Which page of figures.")
    question = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_QUESTION,
        help_text="The query of its address, such as `period=90d&segment=vip`.",
    )


class ReportShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    pages = PageShape(many=True)
    span = serializers.ChoiceField(choices=list(SPANS))
    cadence = serializers.ChoiceField(choices=Report.Cadence.choices)
    weekday = serializers.IntegerField(allow_null=True, help_text="0 is Monday.")
    day = serializers.IntegerField(allow_null=True, help_text="0 is the last day of the month.")
    at = Clock(help_text="Of the clock in the time zone of the organisation.")
    with_csv = serializers.BooleanField()
    with_xlsx = serializers.BooleanField()
    owner = serializers.CharField(allow_null=True, source="owner_id", help_text="The id of a user.")
    created_at = Instant()
    paused_at = Instant(allow_null=True)
    next_at = serializers.SerializerMethodField(help_text="When it is due next; null: never.")

    def get_next_at(self, report: Report) -> str | None:
        """As every instant of the API."""
        if report.paused_at is not None:
            return None
        due = report.schedule.next_after(clock(), zone=Installation.current().time_zone)
        return Instant().to_representation(due)


class ReportTold(Body):
    name = serializers.CharField(required=False, max_length=LONGEST_NAME)
    pages = PageTold(many=True, required=False, min_length=1, max_length=MOST_PAGES)  # type: ignore[call-arg]
    span = serializers.ChoiceField(
        choices=list(SPANS),
        required=False,
        help_text="Which period it is about; `asked`: the one in the questions of its pages. Default: asked.",
    )
    cadence = serializers.ChoiceField(choices=Report.Cadence.choices, required=False, help_text="Default: never.")
    weekday = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=6)
    day = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=31)
    at = Clock(required=False, help_text="Default: 08:00.")
    with_csv = serializers.BooleanField(required=False)
    with_xlsx = serializers.BooleanField(required=False)


class ReportNew(ReportTold):
    name = serializers.CharField(max_length=LONGEST_NAME)
    pages = PageTold(many=True, min_length=1, max_length=MOST_PAGES)  # type: ignore[call-arg]


class RecipientShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    user = serializers.CharField(allow_null=True, source="user_id")
    address = serializers.SerializerMethodField()
    added_by = serializers.CharField()
    added_at = Instant()
    left_at = Instant(allow_null=True, help_text="When that somebody took himself off.")

    def get_address(self, one: Recipient) -> str:
        """Where mails go."""
        return str(one.user.email if one.user else one.address)


class UserAdded(Body):
    user = serializers.CharField(max_length=30, help_text="The id of a user.")


class AddressAdded(Body):
    address = serializers.CharField(max_length=254)


class MailingShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=Mailing.Kind.choices)
    due_at = Instant()
    missed = serializers.IntegerField(help_text="Earlier ones that are left out, since nothing could be sent then.")
    state = serializers.ChoiceField(choices=Mailing.State.choices)
    error = serializers.CharField()
    written_at = Instant(allow_null=True)
    subject = serializers.CharField()


class SendingShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    address = serializers.CharField()
    state = serializers.ChoiceField(choices=Sending.State.choices)
    attempts = serializers.IntegerField()
    try_at = Instant(help_text="While it waits: when it is tried next.")
    ended_at = Instant(allow_null=True)
    code = serializers.IntegerField(allow_null=True, help_text="What the mail server answered last.")
    words = serializers.CharField()


class OneMailingShape(MailingShape):
    text = serializers.CharField(allow_null=True, help_text="The letter as text; null until it is written.")
    sendings = SendingShape(many=True)


class Reports(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "reports.edit", "POST": "reports.edit"}
    queryset = Report.objects.all()
    serializer_class = ReportShape

    @extend_schema(
        operation_id="reports_list",
        summary="Reports, newest first",
        responses={200: ReportShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="reports_create",
        summary="Save pages of figures as a report",
        description="Links in its mails lead to the address under which this request arrived.",
        request=ReportNew,
        responses={201: ReportShape},
    )
    def post(self, request: Request) -> Response:
        told = {"at": time(8), **ReportNew.of_request(request)}
        owner = request.user if isinstance(request.user, User) else None
        made = create_report(told=told, owner=owner, site=request.build_absolute_uri("/"), now=clock())
        where = {"Location": f"/api/v1/reports/{made.pk}/"}
        return Response(ReportShape(made).data, status=status.HTTP_201_CREATED, headers=where)


class OneReport(APIView):
    permission_needed: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "PATCH", "DELETE"), "reports.edit")

    @extend_schema(
        operation_id="reports_read", summary="One report", responses={200: ReportShape, **problems(400, 404)}
    )
    def get(self, request: Request, report: str) -> Response:
        NoParameters.of(request)
        return Response(ReportShape(_report(report)).data)

    @act(
        operation_id="reports_change",
        summary="Change a report",
        description="What is not told stays. Another rhythm counts from now on.",
        request=ReportTold,
        responses={200: ReportShape},
        refusals=(404,),
    )
    def patch(self, request: Request, report: str) -> Response:
        told = ReportTold.of_request(request)
        found = _report(report)
        changed = change_report(report=found, told=told, site=found.site, now=clock())
        return Response(ReportShape(changed).data)

    @act(
        operation_id="reports_delete",
        summary="Forget a report and what was sent of it",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, report: str) -> Response:
        remove_report(report=_report(report))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _Act(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "reports.edit"}


class PauseReport(_Act):
    @act(
        operation_id="reports_pause",
        summary="Send a report to nobody for now",
        responses={200: ReportShape},
        refusals=(404,),
    )
    def post(self, request: Request, report: str) -> Response:
        pause(report=_report(report), now=clock())
        return Response(ReportShape(_report(report)).data)


class ResumeReport(_Act):
    @act(
        operation_id="reports_resume",
        summary="Send a paused report again, from its next time on",
        responses={200: ReportShape},
        refusals=(404,),
    )
    def post(self, request: Request, report: str) -> Response:
        resume(report=_report(report), now=clock())
        return Response(ReportShape(_report(report)).data)


class PreviewReport(_Act):
    @act(
        operation_id="reports_preview",
        summary="Write a report as it would be sent now, and send it to nobody",
        description="It is written in the background; ask `mailings/` for it until its state is ready.",
        responses={201: MailingShape},
        refusals=(404,),
    )
    def post(self, request: Request, report: str) -> Response:
        made = ask_preview(report=_report(report), by=author_of(request), now=clock())
        return Response(MailingShape(made).data, status=status.HTTP_201_CREATED)


class Recipients(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "reports.edit", "POST": "reports.edit"}
    queryset = Recipient.objects.all()
    serializer_class = RecipientShape

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):  # nobody asks while the API describes itself
            return Recipient.objects.none()
        return _report(self.kwargs["report"]).recipients.select_related("user")

    @extend_schema(
        operation_id="reports_recipients",
        summary="Who is on the list of a report, newest first",
        responses={200: RecipientShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, report: str) -> Response:
        return self.listed(request)

    @act(
        operation_id="reports_recipients_add",
        summary="Have a report sent to a user",
        request=UserAdded,
        responses={201: RecipientShape},
        refusals=(404,),
    )
    def post(self, request: Request, report: str) -> Response:
        found, told = _report(report), UserAdded.of_request(request)
        user = User.objects.filter(pk=asked_id(told["user"])).first()
        if user is None:
            raise NotThereError(told["user"])
        made = add_user(report=found, user=user, by=author_of(request), now=clock())
        return Response(RecipientShape(made).data, status=status.HTTP_201_CREATED)


class Outsiders(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "reports.send_outside"}

    @act(
        operation_id="reports_outsiders_add",
        summary="Have a report sent to an address outside",
        description="Whoever took himself off the list stays off: 409.",
        request=AddressAdded,
        responses={201: RecipientShape},
        refusals=(404,),
    )
    def post(self, request: Request, report: str) -> Response:
        told = AddressAdded.of_request(request)
        made = add_outsider(report=_report(report), text=told["address"], by=author_of(request), now=clock())
        return Response(RecipientShape(made).data, status=status.HTTP_201_CREATED)


class OneRecipient(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"DELETE": "reports.edit"}

    @act(
        operation_id="reports_recipients_remove",
        summary="Take somebody off the list of a report",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, report: str, recipient: str) -> Response:
        found = _report(report).recipients.filter(pk=asked_id(recipient)).first()
        if found is None:
            raise NotThereError(recipient)
        remove_recipient(recipient=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Mailings(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "reports.edit"}
    queryset = Mailing.objects.all()
    serializer_class = MailingShape

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):  # nobody asks while the API describes itself
            return Mailing.objects.none()
        return Mailing.objects.filter(report=_report(self.kwargs["report"])).defer("content")

    @extend_schema(
        operation_id="reports_mailings",
        summary="What was sent of a report, newest first; for 90 days",
        responses={200: MailingShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, report: str) -> Response:
        return self.listed(request)


class OneMailing(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "reports.edit"}

    @extend_schema(
        operation_id="reports_mailing",
        summary="One mailing: the letter as text, and what became of each mail",
        responses={200: OneMailingShape, **problems(400, 404)},
    )
    def get(self, request: Request, report: str, mailing: str) -> Response:
        NoParameters.of(request)
        found = Mailing.objects.filter(report=_report(report), pk=asked_id(mailing)).first()
        if found is None:
            raise NotThereError(mailing)
        text = Letter.unpacked(bytes(found.content)).text if found.content is not None else None
        sendings = SendingShape(found.sendings.order_by("pk"), many=True).data
        return Response({**MailingShape(found).data, "text": text, "sendings": sendings})


class SendAgain(_Act):
    @act(
        operation_id="reports_send_again",
        summary="Send one mail once more",
        description="One that was refused, or of which nobody knows whether it arrived. It has the same Message-ID.",
        responses={200: SendingShape},
        refusals=(404,),
    )
    def post(self, request: Request, report: str, mailing: str, sending: str) -> Response:
        found = Sending.objects.filter(
            mailing__report=_report(report), mailing=asked_id(mailing), pk=asked_id(sending)
        ).first()
        if found is None:
            raise NotThereError(sending)
        send_again(sending=found, now=clock())
        found.refresh_from_db()
        return Response(SendingShape(found).data)


def _report(text: str) -> Report:
    found = Report.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
