"""The archives that the test kit writes: the same every time, quick, and like Docker's."""

from __future__ import annotations

import tarfile
import time
from pathlib import Path

import pytest

from registry_fp.domain.digest import digest_of
from registry_fp.domain.image_config import parse_image_config
from registry_fp.testing.sample_archive import SavedLayout, sample_image, write_docker_save


@pytest.mark.parametrize("layout", ["legacy", "oci"])
def test_the_same_arguments_give_the_same_bytes(layout: SavedLayout, tmp_path: Path) -> None:
    """A demonstration that has other digests every day cannot be written about."""
    image = sample_image("app:1.0", mebibytes=1)
    for name in ("one.tar", "two.tar"):
        write_docker_save(tmp_path / name, image, layout=layout)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_ten_mebibytes_are_made_in_less_than_a_second(tmp_path: Path) -> None:
    """It runs before every test that wants one."""
    started = time.perf_counter()
    write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", mebibytes=10))
    assert time.perf_counter() - started < 3  # a fifth of a second on an idle machine
    assert 8 << 20 < (tmp_path / "app.tar").stat().st_size < 14 << 20


def test_images_share_what_is_below_the_application() -> None:
    """So that a second push has something to skip."""
    one, two = sample_image("app:1", mebibytes=1), sample_image("app:2", mebibytes=1, seed=2)
    assert one.diff_ids[:-1] == two.diff_ids[:-1]
    assert one.diff_ids[-1] != two.diff_ids[-1]
    assert one.config_digest != two.config_digest


def test_layers_and_configuration_are_what_they_say() -> None:
    """A layer is a tar that other tools read, and the configuration fits it."""
    image = sample_image("app:1", mebibytes=1)
    config = parse_image_config(image.config).unwrap()
    assert config.rootfs.diff_ids == tuple(digest_of(one) for one in image.layers)
    assert config.history is not None
    assert len([step for step in config.history if not step.empty_layer]) == len(image.layers)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("legacy", {"manifest.json", "repositories"}),
        ("oci", {"manifest.json", "repositories", "index.json", "oci-layout"}),
    ],
)
def test_the_tables_of_contents_are_where_docker_writes_them(
    layout: SavedLayout, expected: set[str], tmp_path: Path
) -> None:
    """Readers look for exactly these names."""
    write_docker_save(tmp_path / "app.tar", sample_image("app:1", mebibytes=1), layout=layout)
    with tarfile.open(tmp_path / "app.tar") as tar:
        names = {name for name in tar.getnames() if "/" not in name and not name.endswith(f"{'0' * 4}.json")}
    assert {name for name in names if len(name) < 60} == expected
