"""The registries and the client of the tests of formats."""

from tests.formats.conftest import client, embedded, place

__all__ = ["client", "embedded", "place"]
