"""`demo`: the first thing that a newcomer sees."""

import re
from pathlib import Path

import pytest

from registry_fp.testing import sample_image, write_docker_save
from tests.cli.shell import call, run

Capture = pytest.CaptureFixture[bytes]


def test_it_shows_what_became_of_every_blob(tmp_path: Path) -> None:
    """In a pipe: plain lines that fit 80 columns, a name to use, and a last line that says what was shown."""
    shown = run("demo", env={"REGISTRY_FP_CACHE_DIR": str(tmp_path / "untouched")})
    assert shown.code == 0
    *table, blank, name, last = shown.text.splitlines()
    assert table[0].split() == ["BLOB", "DIGEST", "ARCHIVE", "REGISTRY", "PUSH", "AGAIN", "READ", "BACK"]
    assert [row.split()[0] for row in table[1:]] == ["config", "layer", "layer", "layer"]
    assert all(row.endswith("uploaded  exists  proven") and len(row) <= 80 for row in table[1:])
    assert blank == ""
    assert re.fullmatch(r"127\.0\.0\.1:\d+/demo/app:1\.0@sha256:[0-9a-f]{64}", name)
    assert re.fullmatch(r"shown: .* sent once, 0 B sent again; 5 digests and 3 diff_ids proven", last)
    assert "push again: the registry received 0 B of blobs" in shown.err
    assert "\x1b" not in shown.err + shown.text
    assert not (tmp_path / "untouched").exists()


@pytest.mark.parametrize(("compressed", "setting"), [(False, "zstd"), (False, "none"), (True, "gzip")])
def test_it_shows_an_archive_of_ones_own(
    compressed: bool,
    setting: str,
    tmp_path: Path,
    capfdbinary: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever its layers are, and become, each is read back and unpacked."""
    monkeypatch.setenv("REGISTRY_FP_COMPRESSION", setting)
    image = sample_image("app:1.0", mebibytes=1)
    path = write_docker_save(tmp_path / "app.tar", image, compressed=compressed).path
    document = call(capfdbinary, "demo", str(path), "-o", "json").document
    assert (document["archive"], document["received_again"]) == (str(path), 0)
    assert [blob["diff_id"] for blob in document["blobs"]] == [None, *map(str, image.diff_ids)]
    assert (document["proven_digests"], document["proven_diff_ids"]) == (5, 3)
    assert document["received"] == sum(blob["size"] for blob in document["blobs"])


def test_quiet_prints_the_digest(capfdbinary: Capture) -> None:
    """And nothing else."""
    shown = call(capfdbinary, "demo", "-o", "quiet")
    assert (shown.code, shown.err) == (0, "")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", shown.text)


def test_what_fails_in_it_is_an_error_like_any_other(tmp_path: Path, capfdbinary: Capture) -> None:
    """A demonstration that cannot fail proves nothing."""
    missing = call(capfdbinary, "demo", str(tmp_path / "none.tar"))
    assert (missing.code, missing.out) == (66, b"")
    image = sample_image("app:1.0", mebibytes=1)
    layers = (image.layers[0][:-1] + b"\x01", *image.layers[1:])
    path = write_docker_save(tmp_path / "app.tar", type(image)(image.config, layers, image.tags), layout="legacy").path
    broken = call(capfdbinary, "demo", str(path))
    assert (broken.code, "diff_id mismatch" in broken.err) == (65, True)
