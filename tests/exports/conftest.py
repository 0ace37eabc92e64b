"""Processes of their own, as the tests of truth start them."""

from tests.lifecycle.conftest import spawn  # noqa: F401 (a fixture)
