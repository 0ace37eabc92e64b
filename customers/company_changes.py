"""What was told anew of companies that were known: noted by an import, and taken back with it. What somebody else has
said since stays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from clm.lib import sql

from .models import Account

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def tell_companies(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep accounts, and who belongs to them (records of customers/affiliations_add); what that changed of accounts
    that were known, as `ImportBrought.accounts`."""
    rows = sql.rows("customers/affiliations_add", told=_ENCODER.encode(list(told)).decode())
    changes = []
    for account, name_before, name, before_text, told_text in rows:
        before, said = msgspec.json.decode(before_text), msgspec.json.decode(told_text)
        properties = {
            key: {"told": value} | ({"before": before[key]} if key in before else {})
            for key, value in said.items()
            if key not in before or before[key] != value
        }
        names = {"name": [name_before, name]} if name and name != name_before else {}
        changes.append({"account": account, "properties": properties, **names})
    return changes


def take_back(changes: Iterable[Mapping[str, Any]]) -> None:
    """Companies say again what they said before, where they still say what was told."""
    wanted = {change["account"]: change for change in changes}
    for account in Account.objects.select_for_update().filter(pk__in=wanted).order_by("pk"):
        change = wanted[account.pk]
        before, told = change.get("name", ("", ""))
        if told and account.name == told:
            account.name = before
        for key, value in change["properties"].items():
            if key in account.properties and account.properties[key] == value["told"]:
                if "before" in value:
                    account.properties[key] = value["before"]
                else:
                    del account.properties[key]
        account.save(update_fields=["name", "properties"])
