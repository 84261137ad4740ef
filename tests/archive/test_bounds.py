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

from tests.archive.tars import END, Save, header, member

MEASURE = """
import asyncio, resource, sys, time
from registry_fp.archive.docker_save import read_image
from registry_fp.archive.opened import with_archive
from registry_fp.archive.source import docker_save
from registry_fp.archive.spool import SpoolLimits
from registry_fp.effect.exits import settle
from registry_fp.domain.explain import describe
async def main():
    return await settle(with_archive(docker_save(sys.argv[1]), read_image, limits=SpoolLimits(reserve=0, size=1 << 28)))
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, started = peak(), time.perf_counter()
out = asyncio.run(main())
print(peak() - before, time.perf_counter() - started, type(out.error.reason).__name__, describe(out.error), sep="\\t")
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
    path.write_bytes(header(b"m") * 150_000)


def _bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(Save()) + bytes(300 << 20), 1))


def _deep_manifest(path: Path) -> None:
    path.write_bytes(bytes(Save(manifest_raw=b"[" * 2_000_000)))


def _configurations_together(path: Path) -> None:
    text = json.dumps({"x": "y" * (7 << 20)}).encode()
    entries = [{"Config": f"{number}.json", "RepoTags": None, "Layers": []} for number in range(9)]
    files = b"".join(member(f"{number}.json", text) for number in range(2))
    path.write_bytes(files + member("manifest.json", json.dumps(entries).encode()) + END)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a manifest.json of 64 MiB": (_manifest_of_64_mib, "LimitExceeded"),
    "a pax header of 3 GiB": (_pax_of_3_gib, "TarUnreadable"),
    "a long name of 2 GiB": (_long_name_of_2_gib, "TarUnreadable"),
    "a terabyte of zeros": (_terabyte_of_zeros, "InvalidImage"),
    "a terabyte behind the end": (_layer_of_a_terabyte, "InvalidImage"),
    "150,000 members": (_too_many_members, "TarUnreadable"),
    "a compressed bomb": (_bomb, "LimitExceeded"),
    "2,000,000 brackets": (_deep_manifest, "LimitExceeded"),
    "configurations that are large": (_configurations_together, "InvalidImage"),
}


@pytest.mark.parametrize(("write", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_archive_costs_little(write: Callable[[Path], None], reason: str, tmp_path: Path) -> None:
    """One upload form is enough for a stranger to choose the archive that a service opens."""
    path = tmp_path / "hostile.tar"
    write(path)
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    kib, seconds, name, line = done.stdout.rstrip("\n").split("\t")
    assert name == reason, line
    assert int(kib) < 96 * 1024
    assert float(seconds) < 20
    assert line.isprintable()
