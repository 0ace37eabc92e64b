"""What a process has read of remembered answers is at hand for its time, and as far as there is room."""

import pytest

from analytics.days import at_hand
from analytics.days.at_hand import Pigeonholes


def test_it_is_told_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(at_hand.time, "monotonic", lambda: now[0])
    holes = Pigeonholes(most=10)
    holes.put("a", b"1", 5)
    now[0] = 104.9
    assert holes.get("a") == b"1"
    now[0] = 105
    assert holes.get("a") is None
    holes.put("b", b"0123456789", 5)  # all the room is there again
    assert holes.get("b") == b"0123456789"


def test_what_was_unused_longest_makes_room() -> None:
    holes = Pigeonholes(most=10)
    for name in ("a", "b", "c"):
        holes.put(name, b"333", 60)
    assert holes.get("a") == b"333"
    holes.put("d", b"333", 60)
    assert [holes.get(name) for name in ("a", "b", "c", "d")] == [b"333", None, b"333", b"333"]
    holes.put("a", b"4444", 60)
    assert holes.get("a") == b"4444"
    holes.put("e", b"more than there is", 60)
    assert holes.get("e") is None
