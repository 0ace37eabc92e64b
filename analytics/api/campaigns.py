"""/api/v1/campaigns/: campaigns, on which spend and results hang."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.keeping import change_campaign, create_campaign, delete_campaign
from campaigns.models import Campaign
from clm.lib.questions import NotThereError
from customers.ingest import clock

from .acting import act
from .answering import Amount, Instant, problems
from .asking import AmountGiven, Asking, Body, NoParameters
from .lists import DayFilter, ListView, text_filter


class CampaignShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    key = serializers.CharField(help_text="utm_campaign, which visits carry.")
    name = serializers.CharField()
    channel = serializers.CharField(source="channel.key", allow_null=True, default=None)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    budget = Amount(allow_null=True, help_text="In the reporting currency.")
    audience = serializers.CharField(
        source="audience.key", allow_null=True, default=None, help_text="The key of a segment."
    )
    created_at = Instant()


class CampaignTold(Body):
    name = serializers.CharField(required=False, max_length=1000)
    channel = serializers.CharField(required=False, allow_null=True, max_length=60)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True, help_text="Included.")
    budget = AmountGiven(required=False, allow_null=True, help_text="In the reporting currency.")
    audience = serializers.CharField(required=False, allow_null=True, max_length=60)


class CampaignNew(Body):
    key = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=1000)
    channel = serializers.CharField(required=False, allow_null=True, max_length=60)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True, help_text="Included.")
    budget = AmountGiven(required=False, allow_null=True, help_text="In the reporting currency.")
    audience = serializers.CharField(required=False, allow_null=True, max_length=60)


class CampaignFilters(filters.FilterSet):
    channel = text_filter(longest=60, field_name="channel__key")
    audience = text_filter(longest=60, field_name="audience__key")
    runs_on = DayFilter(method="running", help_text="Campaigns that run on this day.")

    def running(self, queryset: Any, name: str, value: Any) -> Any:
        """Those that had begun by then and had not ended; without an end: for ever."""
        return queryset.filter(starts_on__lte=value).exclude(ends_on__lt=value)

    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = []


class Campaigns(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "campaigns.view", "POST": "campaigns.edit"}
    queryset = Campaign.objects.select_related("channel", "audience")
    serializer_class = CampaignShape
    filterset_class = CampaignFilters

    @extend_schema(
        operation_id="campaigns_list",
        summary="Campaigns, newest first",
        responses={200: CampaignShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="campaigns_create",
        summary="Make a campaign",
        request=CampaignNew,
        responses={201: CampaignShape},
    )
    def post(self, request: Request) -> Response:
        campaign = create_campaign(**CampaignNew.of_request(request))
        where = {"Location": f"/api/v1/campaigns/{campaign.key}/"}
        return Response(_shown(campaign), status=status.HTTP_201_CREATED, headers=where)


class OneCampaign(APIView):
    permission_needed: ClassVar[dict[str, str]] = {
        "GET": "campaigns.view",
        "PATCH": "campaigns.edit",
        "DELETE": "campaigns.edit",
    }

    @extend_schema(
        operation_id="campaigns_read", summary="One campaign", responses={200: CampaignShape, **problems(400, 404)}
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(_shown(_campaign(key)))

    @act(
        operation_id="campaigns_change",
        summary="Change a campaign",
        request=CampaignTold,
        responses={200: CampaignShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str) -> Response:
        found = _campaign(key)
        return Response(_shown(change_campaign(campaign=found, changes=CampaignTold.of_request(request))))

    @act(
        operation_id="campaigns_delete",
        summary="Remove a campaign that nothing hangs on",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, key: str) -> Response:
        delete_campaign(campaign=_campaign(key))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _campaign(key: str) -> Campaign:
    found = Campaign.objects.select_related("channel", "audience").filter(key=key).first()
    if found is None:
        raise NotThereError(key)
    return found


def _shown(campaign: Campaign) -> Any:
    return CampaignShape(campaign, context=Asking(now=clock()).context).data
