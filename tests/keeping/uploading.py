"""Files brought in on the pages, for tests."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analytics.days.fill import count_sales_anew
from customers.importing.work import Beyond, work_on_imports
from customers.models import Import
from lifecycle.withdrawn import let_go

STRIPE = "id,Email,Name,Created (UTC),Delinquent\n" + "".join(
    f"cus_{number},p{number}@example.org,Ada {number},2025-03-04 10:00,FALSE\n" for number in range(3)
)


def upload(browser: Client, text: str = STRIPE, name: str = "customers.csv", **more: str) -> Import:
    answer = browser.post("/imports/new/", {"file": SimpleUploadedFile(name, text.encode()), **more})
    assert answer.status_code == 302, answer.context["form"].errors
    record = Import.objects.order_by("-pk").first()
    assert record is not None
    assert answer["Location"] == f"/imports/{record.pk}/"
    return record


def form_of(browser: Client, record: Import, **changes: str) -> dict[str, str]:
    """What the form of the columns would send."""
    context = browser.get(f"/imports/{record.pk}/").context
    told = {name: str(context["form"][name].value()) for name in context["form"].fields}
    for one in context["columns"]:
        told |= {f"use_{one.number}": one.use, f"name_{one.number}": one.name, f"type_{one.number}": one.type}
    return told | changes


def brought(marketer: Client, text: str, name: str) -> tuple[Import, str]:
    """A file brought in, and its page."""
    record = upload(marketer, text, name)
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports(beyond=Beyond(let_go, count_sales_anew))
    return record, marketer.get(f"/imports/{record.pk}/").content.decode()


def taken_back(marketer: Client, record: Import) -> str:
    marketer.post(f"/imports/{record.pk}/undo/")
    work_on_imports(beyond=Beyond(let_go, count_sales_anew))
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert "Taken back" in page
    return page


def text_of(answer: Any) -> str:
    """A page without its marks, in single blanks."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())
