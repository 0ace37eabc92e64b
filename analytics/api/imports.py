"""/api/v1/imports/ and /api/v1/rejects/: bringing files in, what became of them line by line, and what was refused."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import NotThereError, QuestionError
from customers.demonstration import demonstration_sources, said_beside
from customers.importing.asking import WISHES, ask, change_mapping
from customers.importing.begin import keep_upload
from customers.ingest import clock
from customers.line_account import REASONS
from customers.models import Import, Reject
from customers.parsing import BadFile
from customers.receiving.retry import retry_reject

from ..imports import COUNTS
from .acting import MULTIPART, act
from .answering import Amount, Instant, page, page_of, problems
from .asking import Asking, Body, NoParameters, asked_id
from .lists import IdFilter, ListView, MomentFilter, text_filter

LONGEST_RAW = 4000
MOST_CONTENT = 2_000_000


class ImportShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    source = serializers.CharField(source="source.key")  # type: ignore[assignment]
    file_name = serializers.CharField()
    file_sha256 = serializers.CharField()
    file_bytes = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Import.Kind.choices)
    preset = serializers.CharField(help_text="What kind of file it was recognised as; empty for none.")
    state = serializers.ChoiceField(choices=Import.State.choices)
    lines_read = serializers.IntegerField()
    lines_used = serializers.IntegerField()
    lines_set_aside = serializers.IntegerField()
    error = serializers.CharField()
    author = serializers.CharField(source="author.name", default="")
    created_at = Instant()
    finished_at = Instant(allow_null=True)
    undone_at = Instant(allow_null=True)


class ImportRead(ImportShape):
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Orders, refunds and the like; amounts in minor units."
    )
    mapping = serializers.DictField(child=serializers.JSONField(allow_null=True), help_text="How the file was read.")
    checked = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        allow_null=True,
        help_text=(
            "What a dry run counted: rows new, updated, unchanged, rejected, and examples; null for none. Of a file of "
            "orders these are lines, and orders, orders_new, customers and customers_new count each of them once."
        ),
    )
    warning = serializers.CharField(
        help_text="What to know about the whole of it, such as that the demo's customers are here too; or empty."
    )


class ImportNew(Body):
    file_name = serializers.CharField(max_length=200)
    content = serializers.CharField(
        max_length=MOST_CONTENT, trim_whitespace=False, help_text="The text of the file, its first line the header."
    )
    preset = serializers.CharField(
        max_length=60,
        required=False,
        allow_blank=True,
        help_text="What it is; left out, it is recognised by its header.",
    )
    mapping = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        required=False,
        help_text="What its columns mean (docs/importing.md); left out, the preset's or a guess.",
    )


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": MOST_CONTENT})
class TextOrFile(serializers.CharField):
    """A text, written into the form or given as a file of its own, as `curl -F mapping=@crm.json` does."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The text of either; of a file that is longer than a text may be, enough to be refused."""
        if isinstance(data, UploadedFile):
            data.seek(0)  # who asks under a key has had it read before
            try:
                data = data.read(4 * MOST_CONTENT + 1).decode("utf-8-sig")
            except UnicodeDecodeError:
                raise serializers.ValidationError([_("This is not text in UTF-8.")]) from None
        return super().run_validation(data)


class ImportUpload(Body):
    file = serializers.FileField(help_text="The file itself.")
    preset = serializers.CharField(
        max_length=60,
        required=False,
        allow_blank=True,
        help_text="What it is; left out, it is recognised by its header.",
    )
    mapping = TextOrFile(
        max_length=MOST_CONTENT,
        required=False,
        help_text=(
            "What its columns mean, as JSON (docs/importing.md), a text or a file; left out, the preset's or a guess."
        ),
    )


class ImportWish(Body):
    wish = serializers.ChoiceField(
        choices=sorted(WISHES),
        help_text="check: a dry run; start; pause; resume; cancel; undo: take back everything it brought.",
    )


class ImportFilters(filters.FilterSet):
    source = text_filter(longest=60, field_name="source__key")
    state = filters.ChoiceFilter(choices=Import.State.choices)
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Import
        fields: ClassVar[list[str]] = []


class Imports(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "imports.run", "POST": "imports.run"}
    queryset = Import.objects.select_related("source", "author")
    serializer_class = ImportShape
    filterset_class = ImportFilters

    @extend_schema(
        operation_id="imports_list",
        summary="Files that were brought in, last first",
        responses={200: ImportShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="imports_create",
        summary="Give a file to be brought in",
        description=(
            "A draft: nothing of it is stored before it is asked to start. Larger files are sent to `imports/files/`."
        ),
        request=ImportNew,
        responses={201: ImportRead},
    )
    def post(self, request: Request) -> Response:
        told = ImportNew.of_request(request)
        blocks = [told["content"].encode("utf-8", "surrogatepass")]
        return _kept(request, blocks, told["file_name"], told.get("preset", ""), told.get("mapping"), field="content")


class ImportFiles(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "imports.run"}
    parser_classes = (MultiPartParser,)

    @act(
        operation_id="imports_upload",
        summary="Upload a file to be brought in, however large",
        description=(
            "The same as giving its text, for files of any size and for Excel files: a form (multipart/form-data) "
            "whose file goes to the disk, and from there block by block into the database."
        ),
        request={MULTIPART: ImportUpload},
        responses={201: ImportRead},
    )
    def post(self, request: Request) -> Response:
        told = ImportUpload.of_request(request)
        file = told["file"]
        mapping = None
        if "mapping" in told:
            try:
                mapping = json.loads(told["mapping"])
            except (ValueError, RecursionError):
                raise QuestionError("mapping", _("This is not JSON.")) from None
            if not isinstance(mapping, dict):
                raise QuestionError("mapping", _("This must be a JSON object."))
        return _kept(request, file.chunks(1 << 20), file.name, told.get("preset", ""), mapping, field="file")


class AskImport(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "imports.run"}

    @act(
        operation_id="imports_ask",
        summary="Try a file, bring it in, pause it, go on, stop it, or take it back",
        description="It is done by a worker; read the import to see how far it is.",
        request=ImportWish,
        responses={200: ImportRead},
        refusals=(404,),
    )
    def post(self, request: Request, number: str) -> Response:
        wish = ImportWish.of_request(request)["wish"]
        return Response(_read(ask(record=_import(number).pk, wish=wish)))


class OneImport(APIView):
    permission_needed: ClassVar[str] = "imports.run"

    @extend_schema(
        operation_id="imports_read",
        summary="One import and its account",
        responses={200: ImportRead, **problems(400, 404)},
    )
    def get(self, request: Request, number: str) -> Response:
        NoParameters.of(request)
        return Response(_read(_import(number)))


class SetAsideShape(serializers.Serializer[Any]):
    reason = serializers.CharField()
    sentence = serializers.CharField()
    lines = serializers.IntegerField()
    amount = Amount(help_text="The value of these lines, in the reporting currency.")
    ranges = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="[first, last] line numbers.",
    )
    is_cut = serializers.BooleanField(help_text="True: there are more stretches than are kept; `lines` counts all.")


class ImportSetAside(APIView):
    permission_needed: ClassVar[str] = "imports.run"

    @extend_schema(
        operation_id="imports_set_aside",
        summary="The lines of a file that were not used, by reason",
        responses={
            200: page_of(SetAsideShape, "SetAsidePage", currency=serializers.CharField()),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, number: str) -> Response:
        NoParameters.of(request)
        record, asking = _import(number), Asking(now=clock())
        kept = sorted(record.set_aside.items(), key=lambda item: (-item[1]["lines"], item[0]))
        rows = [
            {
                "reason": reason,
                "sentence": str(REASONS[reason]),
                "lines": each["lines"],
                "amount": each["amount"],
                "ranges": each["ranges"],
                "is_cut": bool(each.get("ranges_cut")),
            }
            for reason, each in kept
        ]
        shown = SetAsideShape(rows, many=True, context=asking.context).data
        return Response(page(request, shown, currency=asking.installation.currency))


class RejectShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    source = serializers.CharField(source="source.key")  # type: ignore[assignment]
    from_import = serializers.CharField(source="from_import_id", allow_null=True)
    line_number = serializers.IntegerField(allow_null=True)
    path = serializers.CharField(help_text="The column or the member at fault.")
    reason = serializers.CharField()
    raw = serializers.SerializerMethodField(help_text=f"What it said, its first {LONGEST_RAW:,} bytes.")
    received_at = Instant()

    def get_raw(self, reject: Reject) -> str:
        """The bytes as text; what is none shows as a replacement character."""
        return bytes(reject.raw)[:LONGEST_RAW].decode("utf-8", errors="replace")


class RejectFilters(filters.FilterSet):
    source = text_filter(longest=60, field_name="source__key")
    from_import = IdFilter()
    received_from = MomentFilter(field_name="received_at", lookup_expr="gte")
    received_until = MomentFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = Reject
        fields: ClassVar[list[str]] = []


class Rejects(ListView):
    permission_needed: ClassVar[str] = "imports.view"
    queryset = Reject.objects.select_related("source")
    serializer_class = RejectShape
    filterset_class = RejectFilters

    @extend_schema(
        operation_id="rejects_list",
        summary="Lines and messages that could not be used, last first",
        responses={200: RejectShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class RetriedShape(serializers.Serializer[Any]):
    is_stored = serializers.BooleanField(help_text="False: it was refused again; the reject says why.")


class RetryReject(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "sources.manage"}

    @act(
        operation_id="rejects_retry",
        summary="Try a refused message again",
        description="What is stored is no reject any more.",
        responses={200: RetriedShape},
        refusals=(404,),
    )
    def post(self, request: Request, reject: str) -> Response:
        found = Reject.objects.filter(pk=asked_id(reject)).first()
        if found is None:
            raise NotThereError(reject)
        return Response(RetriedShape({"is_stored": retry_reject(reject=found, now=clock())}).data)


def _kept(
    request: Request,
    blocks: Iterable[bytes],
    file_name: str,
    preset: str,
    mapping: dict[str, Any] | None,
    *,
    field: str,
) -> Response:
    """A draft of a file, answered, or nothing of it kept; `field`: the member that gave it."""
    author = request.user if isinstance(request.user, User) else None
    with transaction.atomic():
        try:
            record = keep_upload(blocks=blocks, file_name=file_name, preset=preset, now=clock(), author=author)
        except BadFile as error:
            raise QuestionError(field, str(error)) from None
        if mapping is not None:
            record = change_mapping(record=record.pk, document=mapping)
    where = {"Location": f"/api/v1/imports/{record.pk}/"}
    return Response(_read(record), status=status.HTTP_201_CREATED, headers=where)


def _read(record: Import) -> dict[str, Any]:
    counts = {name: record.counts.get(name, 0) for name in dict.fromkeys((*COUNTS, *record.counts))}
    warning = said_beside(demonstration_sources(beside=record.source.key))
    more = {"counts": counts, "mapping": record.mapping, "checked": record.checked, "warning": warning}
    return {**ImportShape(record).data, **more}


def _import(text: str) -> Import:
    found = Import.objects.select_related("source", "author").filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
