"""The one decision about a real component that this machine cannot offer."""

import os
from typing import NoReturn

import pytest

MISSING = "real component missing: "


def absent(reason: str, *, curable: bool = True) -> NoReturn:
    """Skip the running test and say why, or fail it where CI=true and the set-up could have fetched the component.

    `curable=False` is for what no download can bring, such as a kernel that forbids user namespaces: always a skip.
    """
    if curable and os.environ.get("CI") == "true":
        pytest.fail(MISSING + reason, pytrace=False)
    pytest.skip(MISSING + reason)
