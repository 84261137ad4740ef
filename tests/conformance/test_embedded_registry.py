"""The embedded registry is judged by the specification's own suite, and so is everything that is tested on it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from registry_fp.testing import Corrupt, EmbeddedRegistry, Fault, NotStored, WrongDigestHeader, running_registry
from tests.real.conformance import judge
from tests.real.docker_registry import CREDENTIALS

pytestmark = pytest.mark.xdist_group("conformance")

TESTS = {"dev": {"passed": 793}, "1.1": {"passed": 693, "skipped": 2}, "1.0": {"passed": 683, "skipped": 8}}
"""What this version of the suite asks for each version of the specification; what is newer than that is skipped."""

OPTIONAL = frozenset({"Sparse Manifests"})
"""What the suite does not ask for by default: a strict registry refuses a manifest whose content is missing."""

ENDPOINTS = frozenset(
    {
        *("Ping", "Tag listing", "Tag delete", "Tag delete atomic", "Referrers"),
        *("Blob upload cancel", "Blob push", "Blob post only", "Blob post put", "Blob chunked", "Blob streaming"),
        *("Blob mount", "Blob anonymous mount", "Blob get", "Blob get range", "Blob head", "Blob delete"),
        *("Blob delete atomic", "Manifest put by digest", "Manifest put by tag", "Manifest put with tag params"),
        *("Manifest put with subject", "Manifest get by digest", "Manifest get by tag", "Manifest head by digest"),
        *("Manifest head by tag", "Manifest delete", "Manifest delete atomic"),
    }
)
"""Pull, push, content discovery and content management, as the suite names their endpoints."""

VARIANTS: dict[str, Callable[[Path], AbstractContextManager[EmbeddedRegistry]]] = {
    "memory": lambda _: running_registry(),
    "directory": running_registry,
    "relative locations": lambda _: running_registry(relative_locations=True),
    "large chunks": lambda _: running_registry(chunk_min_length=1024),
}


@pytest.mark.parametrize("variant", VARIANTS)
async def test_everything_that_the_specification_has_is_passed(variant: str, suite: Path, tmp_path: Path) -> None:
    """Without this, a client that agrees with the test kit could still disagree with every real registry."""
    with VARIANTS[variant](tmp_path / "store") as registry:
        verdict = await judge(suite, tmp_path / "report", registry.host, "dev")
        assert registry.counts().uploads_open == 0
    assert verdict.failures == ()
    assert (verdict.code, verdict.word, verdict.outcomes) == (0, "Pass", TESTS["dev"])
    assert verdict.features.keys() > ENDPOINTS
    assert {name for name, status in verdict.features.items() if status != "Pass"} == OPTIONAL


@pytest.mark.parametrize("specification", ["1.1", "1.0"])
async def test_the_released_specifications_are_passed_too(specification: str, suite: Path, tmp_path: Path) -> None:
    """Most registries of today speak one of these."""
    with running_registry() as registry:
        verdict = await judge(suite, tmp_path / "report", registry.host, specification)
    assert verdict.failures == ()
    assert (verdict.code, verdict.word, verdict.outcomes) == (0, "Pass", TESTS[specification])


async def test_a_registry_that_demands_a_login_passes(suite: Path, tmp_path: Path) -> None:
    """The challenge comes before every endpoint, and changes nothing behind it."""
    with running_registry(basic_auth=CREDENTIALS) as registry:
        login = {"OCI_USERNAME": CREDENTIALS[0], "OCI_PASSWORD": CREDENTIALS[1]}
        verdict = await judge(suite, tmp_path / "report", registry.host, "dev", **login)
        assert registry.counts().by_status[401] > 0
    assert verdict.failures == ()
    assert (verdict.code, verdict.outcomes) == (0, TESTS["dev"])


@pytest.mark.parametrize(
    ("fault", "feature"),
    [
        (Fault(WrongDigestHeader(), method="HEAD", endpoint="end-3"), "Manifest head by digest"),
        (Fault(Corrupt(), method="GET", endpoint="end-2"), "Blob get"),
        (Fault(NotStored(), endpoint="end-7b"), "Manifest put with tag params"),
    ],
)
async def test_a_registry_that_lies_does_not_pass(fault: Fault, feature: str, suite: Path, tmp_path: Path) -> None:
    """A judge who finds everybody innocent would prove nothing."""
    with running_registry(faults=[fault]) as registry:
        verdict = await judge(suite, tmp_path / "report", registry.host, "dev")
    assert (verdict.code, verdict.word) == (1, "FAIL")
    assert verdict.failures
    assert verdict.features[feature] == "FAIL"
