"""Where the documents are tried: two registries, two archives, and a folder to stand in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry, running_registry, sample_image, write_docker_save
from tests.docs.reader import Reader


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with `app.tar` and `worker.tar` in it."""
    write_docker_save(tmp_path / "app.tar")
    write_docker_save(tmp_path / "worker.tar", sample_image("team/worker:1.0", mebibytes=1, seed=1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reader(folder: Path, embedded_registry: EmbeddedRegistry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """`localhost:5000` is open to everybody, `hub.example` is not."""
    monkeypatch.setenv("HUB_PASSWORD", "secret")
    with running_registry(basic_auth=("deploy", "secret")) as hub:
        yield Reader(folder, {"localhost:5000": embedded_registry.host, "hub.example": hub.host})
