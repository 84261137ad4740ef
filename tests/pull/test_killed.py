"""A process that is killed in the middle: no archive, or a whole one; and the next pull goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from registry_fp import connect, docker_save, push, unwrap
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.pull import pull
from registry_fp.testing import EmbeddedRegistry, Fault, Stall, running_registry, write_docker_save
from tests.acceptance.images import image
from tests.acceptance.reader import read_archive
from tests.bench.archives import sparse_archive
from tests.pull.reading import files_of, listed, names_in, read_saved

PLACES = ["app.tar", "layout.tar", "layout"]


def _pulling(registry: EmbeddedRegistry, to: Path) -> list[str]:
    return [sys.executable, "-m", "tests.pull.killed", f"{registry.host}/app:1", str(to)]


def _killed_after(blobs: int, registry: EmbeddedRegistry, to: Path) -> None:
    """Start a pull, and kill it when so many blobs are done."""
    with subprocess.Popen(_pulling(registry, to), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(blobs):
            assert process.stdout.readline() == "fetched\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("place", PLACES)
async def test_after_a_kill_nothing_has_the_name_and_the_next_pull_goes_on(place: str, tmp_path: Path) -> None:
    """Power fails, and build machines are taken away: what was fetched is not fetched again."""
    write_docker_save(tmp_path / "saved.tar", image("app:1.0"))
    with running_registry() as registry:
        async with connect() as client:
            pushed = await unwrap(push(client, docker_save(tmp_path / "saved.tar"), f"{registry.host}/app:1"))
            last = pushed.blobs[-1].descriptor.digest
            registry.set_faults(Fault(Stall(5), "GET", "end-2", last.hex))  # so that the signal is never too late
            (tmp_path / "saved.tar").rename(tmp_path.parent / "saved.tar")
            _killed_after(3, registry, tmp_path / place)
            if place == "layout":
                assert b'"digest"' not in (tmp_path / place / "index.json").read_bytes()
            else:
                assert names_in(tmp_path) == [f".{place}.partial"]
            to = docker_save(tmp_path / place) if place == "app.tar" else oci_layout(tmp_path / place)
            registry.set_faults()
            registry.reset_counts()
            done = await unwrap(pull(client, f"{registry.host}/app:1", to))
    assert [blob.outcome for blob in done.blobs].count("exists") >= 2
    assert registry.counts().blob_bytes_out < sum(blob.descriptor.size for blob in done.blobs)
    assert names_in(tmp_path) == [place]
    if place == "app.tar":
        found, saved = read_saved(tmp_path / place), read_archive(tmp_path.parent / "saved.tar")[0]
        assert (found.config, found.layers) == (saved.config, image("app:1.0").layers)
    else:
        assert listed(files_of(tmp_path / place))["digest"] == str(done.digest)


@pytest.mark.parametrize("place", ["app.tar", "layout.tar"])
def test_a_kill_while_it_is_packed_leaves_no_half_archive_and_the_next_pull_is_whole(
    place: str, tmp_path: Path
) -> None:
    """The moment when most of an archive is there, under another name, and what it was made of is gone."""
    with running_registry() as registry:
        _stored(registry, sparse_archive(tmp_path / "saved.tar", [200 * 2**20]))
        (tmp_path / "saved.tar").unlink()
        _killed_after(2, registry, tmp_path / place)
        assert names_in(tmp_path) in ([f".{place}.partial"], [place], [f".{place}.partial", place])
        if (tmp_path / place).exists():  # it was faster than the signal, and then it is whole
            files_of(tmp_path / place)
        with subprocess.Popen(_pulling(registry, tmp_path / place), stdout=subprocess.DEVNULL) as again:
            assert again.wait(timeout=60) == 0
    files_of(tmp_path / place)
    assert names_in(tmp_path) == [place]


def _stored(registry: EmbeddedRegistry, archive: Path) -> None:
    command = [sys.executable, "-m", "registry_fp.cli", "push", str(archive), f"{registry.host}/app:1", "--no-cache"]
    subprocess.run(command, check=True)
