"""Speed: the same archive pushed by this library and by Debian's skopeo, turn by turn."""

import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.archives import real_archive
from tests.bench.program import run_program
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
        "registry-fp": lambda target, _home: _ours(archive, target),
        "skopeo": lambda target, home: asyncio.run(_skopeo(archive, target, home)),
    }
    took: dict[str, list[float]] = {name: [] for name in contestants}
    used: dict[str, list[float]] = {name: [] for name in contestants}
    stored: dict[str, int] = {}
    for _ in range(runs):
        for name, contestant in contestants.items():
            with tempfile.TemporaryDirectory(prefix="bench.") as root, serve_docker_registry(Path(root)) as registry:
                begun, busy = time.perf_counter(), _processor()
                contestant(f"{registry.host}/bench:1.0", Path(root, "home"))
                took[name].append(time.perf_counter() - begun)
                used[name].append(_processor() - busy)
                stored[name] = sum(file.stat().st_size for file in registry.storage.rglob("data"))
    median = {name: statistics.median(times) for name, times in took.items()}
    rows = []
    for name, times in took.items():
        seconds = f"{median[name]:.2f} s ({', '.join(f'{each:.2f}' for each in times)})"
        busy, there = statistics.median(used[name]), stored[name] / 1e6
        what = f"{name}, {archive.stat().st_size / 1e6:.0f} MB in {_LAYERS} layers"
        rows.append((what, f"{seconds}; {busy:.2f} s of processor; {there:.0f} MB stored"))
    return [*rows, ("registry-fp / skopeo", f"{median['registry-fp'] / median['skopeo']:.2f}")]


def _processor() -> float:
    """Seconds of processor that processes took which have ended and were waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _ours(archive: Path, target: str) -> None:
    run_program("registry_fp.cli", "push", str(archive), target, "--output=quiet", "--no-cache")


async def _skopeo(archive: Path, target: str, home: Path) -> None:
    skopeo = skopeo_tool(required("skopeo"), home)
    arguments = ("copy", "--quiet", "--dest-tls-verify=false", f"docker-archive:{archive}", f"docker://{target}")
    await skopeo(*arguments, seconds=600.0)
