"""`inspect`: an image in a registry, an index, an archive."""

from pathlib import Path

import pytest

from registry_fp.testing import sample_image, write_docker_save
from tests.cli.conftest import Shelf
from tests.cli.shell import call

Capture = pytest.CaptureFixture[bytes]


def test_an_image_in_a_registry_is_shown_with_its_layers(
    shelf: Shelf, capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal nothing is cut, folded or coloured."""
    monkeypatch.setenv("COLUMNS", "20")
    shown = call(capfdbinary, "inspect", f"{shelf.repository}:1.0")
    lines = shown.text.splitlines()
    assert (shown.code, shown.err) == (0, "")
    assert lines[:2] == [f"name     {shelf.repository}:1.0", f"digest   {shelf.image}"]
    assert lines[-4].split() == ["LAYER", "SIZE", "CREATED", "BY"]
    assert lines[-1].endswith("COPY layer-2 / # buildkit")
    assert "platform linux/amd64" in lines
    assert "command  /app/bin/serve --port 8080" in lines
    assert lines[lines.index("env      PATH=/usr/local/bin:/usr/bin:/bin") + 1] == "         LANG=C.UTF-8"
    assert "labels   org.opencontainers.image.title=sample" in lines


def test_an_image_in_json_has_every_layer(shelf: Shelf, capfdbinary: Capture) -> None:
    """The whole digests are there, and the history that made each layer."""
    found = call(capfdbinary, "inspect", f"{shelf.repository}:1.0", "-o", "json").document
    layers = found.pop("layers")
    assert found["kind"], found["digest"] == ("image", str(shelf.image))
    assert list(found)[:8] == ["kind", "name", "digest", "media_type", "config_digest", "platform", "created", "size"]
    assert list(found)[8:] == ["unpacked", "artifact_type", "subject", "annotations", "config", "history"]
    keys = ["digest", "size", "media_type", "diff_id", "created_by", "unpacked"]
    assert [list(layer) for layer in layers] == [keys] * 3
    assert found["config"]["env"] == ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"]
    assert (found["config"]["exposed_ports"], found["config"]["user"]) == (["8080/tcp"], "app")
    assert found["config"]["labels"] == {"org.opencontainers.image.title": "sample"}
    assert [step["empty_layer"] for step in found["history"]] == [False, False, False, True]
    assert call(capfdbinary, "inspect", f"{shelf.repository}:1.0", "-o", "ndjson").objects == layers
    assert call(capfdbinary, "inspect", f"{shelf.repository}:1.0", "-o", "quiet").text == f"{shelf.image}\n"


def test_an_index_lists_its_manifests(shelf: Shelf, capfdbinary: Capture) -> None:
    """Each with the digest that names it, whole."""
    shown = call(capfdbinary, "inspect", f"{shelf.repository}:many")
    found = call(capfdbinary, "inspect", f"{shelf.repository}:many", "-o", "json").document
    size = found["manifests"][0]["size"]
    assert shown.text.splitlines()[-2:] == [f"linux/amd64, {size} B", f"  {shelf.image}"]
    assert (found["kind"], found["digest"]) == ("index", str(shelf.index))
    assert found["manifests"][0]["reference"] == f"{shelf.repository}:many@{shelf.image}"


def test_an_archive_needs_no_registry(archive: Path, capfdbinary: Capture) -> None:
    """A file that is there is an archive; its essential is the image's id."""
    shown = call(capfdbinary, "inspect", str(archive))
    assert shown.code == 0
    assert shown.text.startswith("name     app:1.0\nconfig   sha256:")
    found = call(capfdbinary, "inspect", str(archive), "-o", "json").document
    assert (found["digest"], found["kind"]) == (None, "image")
    assert call(capfdbinary, "inspect", str(archive), "-o", "quiet").text == f"{found['config_digest']}\n"


def test_one_of_several_images_is_chosen(tmp_path: Path, capfdbinary: Capture) -> None:
    """And without a choice the error lists what there is."""
    path = tmp_path / "two.tar"
    write_docker_save(path, sample_image("app:1", mebibytes=1), sample_image("web:1", mebibytes=1, seed=1))
    assert call(capfdbinary, "inspect", str(path), "--image", "web:1").text.startswith("name     web:1\n")
    refused = call(capfdbinary, "inspect", str(path))
    assert refused.code == 65
    assert "hint: choose one by tag or position" in refused.err


@pytest.mark.parametrize("command", [("inspect",), ("ls",), ("cat", "/etc/motd")])
def test_a_reference_is_one_image_and_none_is_chosen_from_it(command: tuple[str, ...], capfdbinary: Capture) -> None:
    """Nobody who named an image of a registry is told to check a path."""
    verb, *more = command
    refused = call(capfdbinary, verb, "localhost:1/app:1.0", *more, "--image", "0")
    assert refused.code == 78
    assert "image: it chooses from an archive, and there is none at localhost:1/app:1.0" in refused.err
    assert "path" not in refused.err


def test_a_name_that_ends_like_an_archive_is_one(capfdbinary: Capture) -> None:
    """Otherwise a mistyped path would be looked for on Docker Hub."""
    missing = call(capfdbinary, "inspect", "not-there.tar.gz")
    assert missing.code == 66
    assert "LocalIo: No such file" in missing.err


def test_what_an_image_says_of_itself_does_not_reach_the_terminal_raw(tmp_path: Path, capfdbinary: Capture) -> None:
    """A history entry is somebody else's text, and may hold escape sequences."""
    image = sample_image("app:1.0", mebibytes=1)
    hostile = image.config.replace(b"COPY layer-0", rb"\u001b]0;owned\u0007")
    path = tmp_path / "app.tar"
    write_docker_save(path, type(image)(hostile, image.layers, image.tags))
    shown = call(capfdbinary, "inspect", str(path))
    told = call(capfdbinary, "inspect", str(path), "-o", "json")
    assert b"]0;owned" in shown.out
    assert b"\x1b" not in shown.out + told.out
    assert told.document["layers"][0]["created_by"].startswith("\x1b]0;owned\x07")
