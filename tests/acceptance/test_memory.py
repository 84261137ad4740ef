"""Memory: a push of any size fits into a small container."""

from pathlib import Path

import pytest

from registry_fp import digest_of
from registry_fp.testing import running_registry
from tests.acceptance.reader import Reader
from tests.bench.archives import sparse_archive
from tests.bench.measured import measured_push
from tests.bench.memory import GROWTH_LIMIT


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_push_does_not_grow_with_its_layers(compression: str, tmp_path: Path) -> None:
    """300 MiB and a few small ones, in a process that may grow by 64 MiB; `make bench` shows the same for 4 GiB."""
    archive = sparse_archive(tmp_path / "zeros.tar", [300 * 2**20, 2**20, 2**20])
    with running_registry(tmp_path / "registry") as registry:
        cost = measured_push(archive, f"{registry.host}/app:1.0", compression=compression)
        raw = Reader(registry.host).get("app/manifests/1.0").body
    assert cost.ended == str(digest_of(raw))
    assert cost.sent > 2**20 if compression == "none" else cost.sent > 1000
    assert cost.grown < GROWTH_LIMIT
