"""The advisory locks of the program."""

from customers import locks


def test_no_two_locks_share_a_number() -> None:
    numbers = [one for name, one in vars(locks).items() if name.isupper() and not name.startswith("_")]
    assert len(numbers) >= 13
    assert len(set(numbers)) == len(numbers)
