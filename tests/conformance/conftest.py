"""The suite's program, built once."""

from pathlib import Path

import pytest

from tests.real.conformance import conformance_suite


@pytest.fixture(scope="session")
def suite() -> Path:
    """The public conformance suite, ready to run."""
    return conformance_suite()
