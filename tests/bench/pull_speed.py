"""Speed of the way back: an image pulled, and copied, by this library and by Debian's skopeo, turn by turn."""

import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path

from registry_fp import connect, docker_save, push, unwrap
from tests.bench.archives import random_archive, real_archive
from tests.bench.program import run_program
from tests.real.debian import required
from tests.real.docker_registry import serve_docker_registry
from tests.real.skopeo import skopeo_tool

_LAYERS = 5
_IMAGES: dict[str, Callable[[], Path]] = {
    "800 MB of files": lambda: real_archive(800 * 10**6, _LAYERS),
    "1 GiB that does not compress": lambda: random_archive(2**30, _LAYERS),
}
_KINDS = {
    "docker": ("docker archive", ("pull", "--format=docker"), "app.tar", "docker-archive:{}:bench:1.0"),
    "layout": ("layout folder", ("pull", "--format=oci"), "layout", "oci:{}:1.0"),
    "layout-tar": ("layout archive", ("pull", "--format=oci"), "layout.tar", "oci-archive:{}:1.0"),
    "copy": ("copy to a registry", ("copy",), "", "docker://{}"),
}


def pull_speed(runs: int) -> list[tuple[str, str]]:
    """Rows of the table: seconds from the start of a process to its end, the median and all runs."""
    rows = []
    for image, kind in product(_IMAGES, _KINDS):
        with _stored(_IMAGES[image]()) as source:
            what = f"{_KINDS[kind][0]}, {image}"
            took: dict[str, list[float]] = {"registry-fp": [], "skopeo": []}
            used: dict[str, list[float]] = {"registry-fp": [], "skopeo": []}
            for _ in range(runs):
                for name, times in took.items():
                    seconds, processor = _once(name, kind, source)
                    times.append(seconds)
                    used[name].append(processor)
            median = {name: statistics.median(times) for name, times in took.items()}
            for name, times in took.items():
                all_of_them = ", ".join(f"{each:.2f}" for each in times)
                busy = statistics.median(used[name])
                found = f"{median[name]:.2f} s ({all_of_them}); {busy:.2f} s of processor"
                rows.append((f"{name}, {what}", found))
            rows.append((f"registry-fp / skopeo, {what}", f"{median['registry-fp'] / median['skopeo']:.2f}"))
    return rows


@contextmanager
def _stored(archive: Path) -> Iterator[str]:
    """The image in a registry, as our own push compresses it."""
    with tempfile.TemporaryDirectory(prefix="bench.") as root, serve_docker_registry(Path(root)) as registry:
        name = f"{registry.host}/bench:1.0"
        asyncio.run(_pushed(archive, name))
        yield name


async def _pushed(archive: Path, name: str) -> None:
    async with connect() as client:
        await unwrap(push(client, docker_save(archive), name))


def _once(name: str, kind: str, source: str) -> tuple[float, float]:
    """Seconds, and seconds of processor, of one run into an empty place."""
    _, ours, file, theirs = _KINDS[kind]
    with ExitStack() as held:
        root = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bench.")))
        to = f"{root}/{file}"
        if not file:
            to = f"{held.enter_context(serve_docker_registry(root / 'registry')).host}/bench:1.0"
        begun, busy = time.perf_counter(), _processor()
        if name == "skopeo":
            asyncio.run(_skopeo(source, theirs.format(to), root / "home"))
        else:
            run_program("registry_fp.cli", *ours, source, to, "--output=quiet", "--no-cache")
        return time.perf_counter() - begun, _processor() - busy


def _processor() -> float:
    """Seconds of processor that processes took which have ended and were waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


async def _skopeo(source: str, target: str, home: Path) -> None:
    skopeo = skopeo_tool(required("skopeo"), home)
    flags = ("--quiet", "--src-tls-verify=false", "--dest-tls-verify=false")
    await skopeo("copy", *flags, f"docker://{source}", target, seconds=600.0)
