"""Hostile archives in a process of their own: whatever they claim, memory stays small and the answer comes soon."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.archive.tars import END, Save, config, header, member

MEASURE = """
import asyncio, sys, time
from pathlib import Path
from registry_fp.archive.docker_save import read_images
from registry_fp.archive.opened import with_archive
from registry_fp.archive.source import docker_save
from registry_fp.archive.spool import SpoolLimits
from registry_fp.effect.exits import settle
from registry_fp.domain.explain import describe
async def main(path):
    return await settle(with_archive(docker_save(path), read_images, limits=SpoolLimits(reserve=0, size=32 << 20)))
def peak():  # not ru_maxrss, which begins with the parent's
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
for path in sys.argv[1:]:
    before, started = peak(), time.perf_counter()
    out = asyncio.run(main(path))
    seconds = time.perf_counter() - started
    print(peak() - before, seconds, type(out.error.reason).__name__, describe(out.error), sep="\\t")
"""


def _sparse(path: Path, head: bytes, size: int) -> None:
    path.write_bytes(head)
    os.truncate(path, size)


def _manifest_of_64_mib(path: Path) -> None:
    _sparse(path, header(b"manifest.json", 64 << 20), (64 << 20) + 512 + 1024)


def _pax_of_3_gib(path: Path) -> None:
    _sparse(path, header(b"x", 3 << 30, kind=b"x"), (3 << 30) + 8192)


def _long_name_of_2_gib(path: Path) -> None:
    _sparse(path, header(b"x", 2 << 30, kind=b"L"), (2 << 30) + 8192)


def _terabyte_of_zeros(path: Path) -> None:
    _sparse(path, b"", 1 << 40)


def _layer_of_a_terabyte(path: Path) -> None:
    _sparse(path, bytes(Save(without=frozenset({"manifest.json"}))) + header(b"late", 1 << 40), 1 << 41)


def _too_many_members(path: Path) -> None:
    path.write_bytes(header(b"m") * 200_000)


def _bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(Save()) + bytes(64 << 20), 1))


def _deep_manifest(path: Path) -> None:
    path.write_bytes(bytes(Save(manifest_raw=b"[" * 2_000_000)))


def _configurations_together(path: Path) -> None:
    large = config([], author="y" * (7 << 20))
    entries: list[dict[str, object]] = [{"Config": "config.json", "RepoTags": None, "Layers": []}] * 1000
    path.write_bytes(member("config.json", large) + member("manifest.json", json.dumps(entries).encode()) + END)


def _configuration_of_empty_objects(path: Path) -> None:
    raw = config([], history=[{}])[:-2] + b",{}" * 2_000_000 + b"]}"
    path.write_bytes(bytes(Save(layers=(), config_raw=raw, config_name="config.json")))


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a manifest.json of 64 MiB": (_manifest_of_64_mib, "LimitExceeded"),
    "a pax header of 3 GiB": (_pax_of_3_gib, "TarUnreadable"),
    "a long name of 2 GiB": (_long_name_of_2_gib, "TarUnreadable"),
    "a terabyte of zeros": (_terabyte_of_zeros, "InvalidImage"),
    "a terabyte behind the end": (_layer_of_a_terabyte, "InvalidImage"),
    "200,000 members": (_too_many_members, "TarUnreadable"),
    "a compressed bomb": (_bomb, "LimitExceeded"),
    "2,000,000 brackets": (_deep_manifest, "LimitExceeded"),
    "a thousand configurations of 7 MiB": (_configurations_together, "LimitExceeded"),
    "a configuration of two million empty objects": (_configuration_of_empty_objects, "LimitExceeded"),
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, float, str, str]]:
    """What each archive costs one process that opens them all: KiB of memory more, seconds, the reason, the error."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = [folder / f"{number}.tar" for number in range(len(HOSTILE))]
    for path, (write, _) in zip(paths, HOSTILE.values(), strict=True):
        write(path)
    done = subprocess.run([sys.executable, "-c", MEASURE, *map(str, paths)], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {
        name: (int(kib), float(seconds), reason, line)
        for name, (kib, seconds, reason, line) in zip(HOSTILE, rows, strict=True)
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_costs_little(name: str, measured: dict[str, tuple[int, float, str, str]]) -> None:
    """One upload form is enough for a stranger to choose the archive that a service opens."""
    kib, seconds, reason, line = measured[name]
    assert reason == HOSTILE[name][1], line
    assert kib < 96 * 1024
    assert seconds < 20
    assert line.isprintable()
