"""The clean environment, made once; the projects are run and checked from outside, and are no tests themselves."""

from __future__ import annotations

import pytest

from tests.downstream.venv import Installed, install

collect_ignore = ["service", "strict", "typed_app"]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this working copy, in an environment of its own."""
    return install(tmp_path_factory.mktemp("downstream"))
