"""How tests call the API, and what they look for in every answer."""

import json
from typing import Any

from django.test import Client


def get(api: Client, address: str, code: int = 200) -> Any:
    """What an address answers; one that is neither whole nor begins with a slash lies below /api/v1/."""
    answer = api.get(address if address.startswith(("/", "http://")) else f"/api/v1/{address}")
    assert answer.status_code == code, answer.content
    return answer.json()


def send(api: Client, method: str, address: str, body: Any = None, code: int = 200) -> Any:
    """What an act below /api/v1/ answers; None where it answers nothing."""
    answer = api.generic(method, f"/api/v1/{address}", json.dumps(body or {}), "application/json")
    assert answer.status_code == code, answer.content
    return answer.json() if answer.content else None


def counted(found: Any) -> list[tuple[int, str | None]]:
    """Every number with the address of its customers, wherever it stands in an answer."""
    if isinstance(found, dict):
        if found.keys() == {"number", "customers"}:
            return [(found["number"], found["customers"])]
        return [one for value in found.values() for one in counted(value)]
    return [one for value in found for one in counted(value)] if isinstance(found, list) else []
