"""What templates may know of the viewer's rights: `can.customers_edit` is the table's `customers.edit`."""

from django.http import HttpRequest

from .table import TABLE, can


def permissions(request: HttpRequest) -> dict[str, dict[str, bool]]:
    user = getattr(request, "user", None)
    return {"can": {name.replace(".", "_"): can(user, name) for name in TABLE}}
