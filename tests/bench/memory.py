"""Memory: how much a process grows while it pushes layers far larger than it may grow."""

import tempfile
from pathlib import Path

from tests.bench.archives import sparse_archive
from tests.bench.measured import measured_push
from tests.bench.sleeper import sleeping_beside
from tests.real.docker_registry import serve_docker_registry

GROWTH_LIMIT = 64 * 2**20
"""How many bytes a process may grow over an idle client, at its peak."""

_LAG_LIMIT = 0.1
_SHAPES: dict[str, tuple[list[int], str]] = {
    "one layer of 4 GiB, gzip": ([4 * 2**30], "gzip"),
    "one layer of 4 GiB, as it is": ([4 * 2**30], "none"),
    "five layers of 200 MiB at once, gzip": ([200 * 2**20] * 5, "gzip"),
    "five layers of 200 MiB at once, as they are": ([200 * 2**20] * 5, "none"),
}


def memory() -> list[tuple[str, str]]:
    """Rows of the table: peak growth and worst lag of the event loop, beside their limits."""
    rows = []
    for name, (sizes, codec) in _SHAPES.items():
        with tempfile.TemporaryDirectory(prefix="bench.") as root, serve_docker_registry(Path(root)) as registry:
            archive = sparse_archive(Path(root, "zeros.tar"), sizes)
            with sleeping_beside() as beside:
                cost = measured_push(archive, f"{registry.host}/bench:1.0", compression=codec, concurrency="5")
        grown = f"growth {cost.grown / 2**20:.0f} MiB (limit {GROWTH_LIMIT / 2**20:.0f})"
        parts = f"own work {cost.own * 1000:.0f}, a sleeper beside it {beside.worst * 1000:.0f}"
        waited = f"worst lag {cost.lag * 1000:.0f} ms (limit {_LAG_LIMIT * 1000:.0f}; {parts})"
        rows.append((name, f"{grown}, {waited}; {cost.seconds:.1f} s; {cost.ended[:19]}"))
    return rows
