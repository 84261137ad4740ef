"""The three registries of the acceptance tests, and their client."""

from tests.acceptance.conftest import Site, client, site

__all__ = ["Site", "client", "site"]
