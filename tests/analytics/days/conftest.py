"""Other connections that hold something up, as the tests of truth have them."""

from tests.lifecycle.conftest import run, side

__all__ = ["run", "side"]
