"""/api/v1/exports/ and /api/v1/customers/export/: customers and touchpoints as files, made in the background or sent at
once."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.ingest import clock

from ..exports.jobs import noted, of, refuse_unmakeable, stop
from ..models import Export
from ..pages.exporting import PARQUET, WORKBOOK, as_attachment, streamed
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .customers import CustomersNarrowed
from .lists import ListView


class FileAsked(CustomersNarrowed):
    what = serializers.ChoiceField(
        choices=Export.Subject.values, required=False, help_text="What the file holds. Default: customers."
    )
    format = serializers.ChoiceField(choices=["csv", "jsonl"], required=False, help_text="Default: csv.")
    bom = serializers.ChoiceField(
        choices=["true", "false"],
        required=False,
        help_text="Whether a CSV file begins with a byte order mark, which Excel needs. Default: false.",
    )


class AsFile(JSONRenderer):
    """Whoever accepts the file's own type alone is answered; what goes wrong is told as a problem document all the
    same."""

    media_type = "text/csv"
    format = "csv"


class AsWorkbook(AsFile):
    media_type = WORKBOOK
    format = "xlsx"


class AsParquet(AsFile):
    media_type = PARQUET
    format = "parquet"


class AsLines(AsFile):
    media_type = "application/jsonl"
    format = "jsonl"


_ABOUT = (
    "UTF-8. In CSV a text that a spreadsheet program would take for a formula begins with an apostrophe; ids, instants "
    "and amounts are written as everywhere in this API."
)


class CustomersFile(APIView):
    permission_needed: ClassVar[str] = "customers.export"
    renderer_classes = (JSONRenderer, AsFile, AsLines)

    @extend_schema(
        operation_id="customers_export",
        summary="Customers or their touchpoints as a file, sent at once",
        description=(
            "Takes what the list takes, and sends everybody who matches, in its order, while the file is being made, "
            f"all of it as of one instant. {_ABOUT}"
        ),
        parameters=[FileAsked],
        responses={(200, "text/csv"): str, (200, "application/jsonl"): str, **problems(400)},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        asked = FileAsked.of(request)
        return streamed(
            who=request.user,
            subject=asked.get("what", Export.Subject.CUSTOMERS),
            format=asked.get("format", Export.Format.CSV),
            dialect=Export.Dialect.API,
            question=_question(asked),
            byte_order_mark=asked.get("bom") == "true",
            now=clock(),
        )


class ExportShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    what = serializers.ChoiceField(source="subject", choices=Export.Subject.choices)
    format = serializers.ChoiceField(choices=Export.Format.choices)
    query = serializers.CharField(source="question", help_text="What the list was asked, as a query.")
    state = serializers.ChoiceField(choices=Export.State.choices)
    asked_at = Instant()
    as_of = Instant(allow_null=True, help_text="The instant whose data the file holds; null until it is begun.")
    rows = serializers.IntegerField(help_text="Written so far, or in the file.")
    total = serializers.IntegerField(allow_null=True, help_text="About how many there will be, where it is known.")
    size = serializers.IntegerField(help_text="Bytes.")
    error = serializers.CharField()
    finished_at = Instant(allow_null=True)
    expires_at = Instant(allow_null=True, help_text="Until when the file is there.")


class ExportNew(Body):
    """`query` holds what `customers/` takes as parameters, each with its value or a list of values."""

    what = serializers.ChoiceField(choices=Export.Subject.values, required=False, help_text="Default: customers.")
    format = serializers.ChoiceField(choices=Export.Format.values, required=False, help_text="Default: csv.")
    query = serializers.DictField(
        child=serializers.JSONField(), required=False, help_text="As the parameters of `customers/`."
    )
    bom = serializers.BooleanField(required=False, help_text="CSV with a byte order mark, for Excel. Default: false.")


class Exports(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "customers.export", "POST": "customers.export"}
    queryset = Export.objects.all()
    serializer_class = ExportShape

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):  # nobody asks while the API describes itself
            return Export.objects.none()
        return Export.objects.filter(of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(
        operation_id="exports_list",
        summary="The files you asked for, newest first",
        responses={200: ExportShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="exports_create",
        summary="Have a file made",
        description=f"It is made in the background; ask for it until its state is ready, and fetch `file/`. {_ABOUT}",
        request=ExportNew,
        responses={201: ExportShape},
    )
    def post(self, request: Request) -> Response:
        told, now = ExportNew.of_request(request), clock()
        narrowed = CustomersNarrowed(data=told.get("query", {}))
        unknown = [name for name in told.get("query", {}) if name not in narrowed.fields]
        if unknown:
            known = ", ".join(narrowed.fields)
            raise serializers.ValidationError({"query": [f"unknown parameter {unknown[0][:40]}; it takes {known}"]})
        narrowed.is_valid(raise_exception=True)
        what = {
            "subject": told.get("what", Export.Subject.CUSTOMERS),
            "dialect": Export.Dialect.API,
            "question": _question(dict(narrowed.validated_data)),
        }
        refuse_unmakeable(**what, now=now)
        export = noted(
            who=request.user,  # type: ignore[arg-type]
            **what,
            format=told.get("format", Export.Format.CSV),
            byte_order_mark=told.get("bom", False),
            now=now,
        )
        where = {"Location": f"/api/v1/exports/{export.pk}/"}
        return Response(ExportShape(export).data, status=status.HTTP_201_CREATED, headers=where)


class OneExport(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "customers.export", "DELETE": "customers.export"}

    @extend_schema(
        operation_id="exports_read",
        summary="One file you asked for, and how far it is",
        responses={200: ExportShape, **problems(400, 404)},
    )
    def get(self, request: Request, export: str) -> Response:
        NoParameters.of(request)
        return Response(ExportShape(_export(request, export)).data)

    @act(
        operation_id="exports_delete",
        summary="Stop making a file, or remove it before its time",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, export: str) -> Response:
        stop(export=_export(request, export), now=clock())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportFile(APIView):
    permission_needed: ClassVar[str] = "customers.export"
    renderer_classes = (JSONRenderer, AsFile, AsLines, AsWorkbook, AsParquet)

    @extend_schema(
        operation_id="exports_file",
        summary="The file itself",
        description="404 until it is ready, and when its time is over.",
        responses={
            (200, "text/csv"): str,
            (200, "application/jsonl"): str,
            (200, WORKBOOK): bytes,
            (200, PARQUET): bytes,
            **problems(400, 404),
        },
    )
    def get(self, request: Request, export: str) -> HttpResponseBase:
        NoParameters.of(request)
        found, now = _export(request, export), clock()
        if found.state != Export.State.READY or found.expires_at is None or found.expires_at <= now:
            raise NotThereError(export)
        return as_attachment(found, now=now)


def _export(request: Request, text: str) -> Export:
    found = Export.objects.filter(of(request.user), pk=asked_id(text)).first()  # type: ignore[arg-type]
    if found is None:
        raise NotThereError(text)
    return found


def _question(asked: dict[str, Any]) -> str:
    """What a list is asked, as a query."""
    kept = {name: value for name, value in asked.items() if name not in ("what", "format", "bom")}
    return urlencode(kept, doseq=True)
