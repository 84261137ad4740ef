"""Speed: the same archive pushed by this library and by Debian's skopeo, turn by turn."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.archives import real_archive
from tests.bench.measured import measured_push
from tests.real.debian import required
from tests.real.docker_registry import serve_docker_registry
from tests.real.skopeo import skopeo_tool

_SIZE = 800 * 10**6
_LAYERS = 5


def speed(runs: int) -> list[tuple[str, str]]:
    """Rows of the table: seconds from the start of a process to its end, the median and all runs."""
    archive = real_archive(_SIZE, _LAYERS)
    with archive.open("rb") as file:  # both then read from memory
        while file.read(2**24):
            pass
    contestants: dict[str, Callable[[str, Path], object]] = {
        "registry-fp": lambda target, _home: measured_push(archive, target),
        "skopeo": lambda target, home: asyncio.run(_skopeo(archive, target, home)),
    }
    took: dict[str, list[float]] = {name: [] for name in contestants}
    stored: dict[str, int] = {}
    for _ in range(runs):
        for name, contestant in contestants.items():
            with tempfile.TemporaryDirectory(prefix="bench.") as root, serve_docker_registry(Path(root)) as registry:
                begun = time.perf_counter()
                contestant(f"{registry.host}/bench:1.0", Path(root, "home"))
                took[name].append(time.perf_counter() - begun)
                stored[name] = sum(file.stat().st_size for file in registry.storage.rglob("data"))
    median = {name: statistics.median(times) for name, times in took.items()}
    rows = [
        (
            f"{name}, {archive.stat().st_size / 1e6:.0f} MB in {_LAYERS} layers",
            f"{median[name]:.2f} s ({', '.join(f'{each:.2f}' for each in times)}); {stored[name] / 1e6:.0f} MB stored",
        )
        for name, times in took.items()
    ]
    return [*rows, ("skopeo / registry-fp", f"{median['skopeo'] / median['registry-fp']:.1f}")]


async def _skopeo(archive: Path, target: str, home: Path) -> None:
    skopeo = skopeo_tool(required("skopeo"), home)
    arguments = ("copy", "--quiet", "--dest-tls-verify=false", f"docker-archive:{archive}", f"docker://{target}")
    await skopeo(*arguments, seconds=600.0)
