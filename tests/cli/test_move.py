"""Commands that move images: what they print, what they leave, and how they refuse."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.conftest import Shelf
from tests.cli.shell import SCRIPT, call
from tests.copy import made

Capture = pytest.CaptureFixture[bytes]


def test_a_copy_prints_where_the_image_is_now(shelf: Shelf, registry: EmbeddedRegistry, capfdbinary: Capture) -> None:
    """Pinned, so that a script can go on with exactly this image."""
    target = f"{registry.host}/mirror/app:2.0"
    copied = call(capfdbinary, "copy", f"{shelf.repository}:1.0", target, "--no-progress")
    assert (copied.code, copied.text, copied.err) == (0, f"{target}@{shelf.image}\n", "")
    again = call(capfdbinary, "copy", f"{shelf.repository}:1.0", target, "-o", "json").document
    assert (again["digest"], again["moved"], again["blobs"]) == (str(shelf.image), 0, [])
    assert again["source"] == f"{shelf.repository}:1.0@{shelf.image}"


def test_all_tags_of_a_repository_are_copied_under_their_names(
    shelf: Shelf, registry: EmbeddedRegistry, capfdbinary: Capture
) -> None:
    """A line for each, pinned; a second time nothing is moved."""
    target = f"{registry.host}/mirror"
    tags = call(capfdbinary, "tags", shelf.repository).text.split()
    copied = call(capfdbinary, "copy", "--all-tags", shelf.repository, target, "--no-progress")
    assert (copied.code, copied.err) == (0, "")
    assert [line.partition("@")[0] for line in copied.text.splitlines()] == [f"{target}:{tag}" for tag in tags]
    assert call(capfdbinary, "tags", target).text.split() == tags
    again = call(capfdbinary, "copy", "--all-tags", shelf.repository, target, "-o", "json").document
    assert [each["moved"] for each in again["copied"]] == [0] * len(tags)
    told = call(capfdbinary, "copy", "--all-tags", shelf.repository, target).err.splitlines()
    assert told[::2] == [f"{target}:{tag}: nothing to move" for tag in tags]
    last = call(capfdbinary, "copy", "--all-tags", shelf.repository, target, "-o", "ndjson").objects[-1]
    assert (last["event"], last["reference"]) == ("copied", f"{target}:{tags[-1]}")


def test_all_tags_of_one_image_is_a_contradiction(shelf: Shelf, capfdbinary: Capture) -> None:
    """A tag is not a repository: nothing is asked, and the error says what one looks like."""
    refused = call(capfdbinary, "copy", "--all-tags", f"{shelf.repository}:1.0", "localhost:1/app")
    assert (refused.code, refused.out) == (2, b"")
    assert "BadReference" in refused.err


def test_a_copy_tells_how_it_goes(shelf: Shelf, registry: EmbeddedRegistry, capfdbinary: Capture) -> None:
    """Line by line where there is no terminal, and as objects in ndjson."""
    told = call(capfdbinary, "copy", f"{shelf.repository}:1.0", f"{registry.host}/a:1")
    assert told.err.splitlines()[0].startswith(f"{registry.host}/a:1: 4 blobs")
    assert "manifest      stored, and confirmed" in told.err
    events = call(capfdbinary, "copy", f"{shelf.repository}:1.0", f"{registry.host}/b:1", "-o", "ndjson").objects
    assert [events[0]["event"], events[-1]["event"]] == ["image_read", "copied"]


def test_a_platform_that_is_not_there_ends_with_66(
    shelf: Shelf, registry: EmbeddedRegistry, capfdbinary: Capture
) -> None:
    """The platforms that are there are in the message."""
    arguments = ("copy", f"{shelf.repository}:many", f"{registry.host}/app:1", "--platform", "plan9/amd64")
    refused = call(capfdbinary, *arguments)
    assert (refused.code, refused.out) == (66, b"")
    assert "NoSuchPlatform: no image for plan9/amd64; there are linux/amd64" in refused.err


def test_a_pull_writes_an_archive_that_can_be_pushed_again(
    shelf: Shelf, registry: EmbeddedRegistry, tmp_path: Path, capfdbinary: Capture
) -> None:
    """To the same digest: nothing is lost on the way there and back."""
    path = tmp_path / "pulled.tar"
    pulled = call(capfdbinary, "pull", f"{shelf.repository}:1.0", str(path), "--no-progress")
    assert (pulled.code, pulled.text, pulled.err) == (0, f"{shelf.repository}:1.0@{shelf.image}\n", "")
    pushed = call(capfdbinary, "push", str(path), f"{registry.host}/app:1.0", "-o", "quiet")
    assert pushed.text == f"{shelf.image}\n"


def test_a_pull_into_a_folder_is_a_layout_that_can_be_pushed_again(
    shelf: Shelf, registry: EmbeddedRegistry, tmp_path: Path, capfdbinary: Capture
) -> None:
    """With everything that the index lists."""
    folder = tmp_path / "layout"
    arguments = ("pull", f"{shelf.repository}:many", str(folder), "--platform", "all", "-o", "quiet")
    assert call(capfdbinary, *arguments).text == f"{shelf.index}\n"
    assert json.loads((folder / "oci-layout").read_text())["imageLayoutVersion"] == "1.0.0"
    pushed = call(capfdbinary, "push", str(folder), f"{registry.host}/app:many", "-o", "quiet")
    assert pushed.text == f"{shelf.index}\n"


def test_an_archive_may_hold_every_platform_only_as_a_layout(
    shelf: Shelf, tmp_path: Path, capfdbinary: Capture
) -> None:
    """`docker load` takes one image; a tar that is a layout takes all of them."""
    name = f"{shelf.repository}:many"
    refused = call(capfdbinary, "pull", name, str(tmp_path / "a.tar"), "--platform", "all")
    assert (refused.code, refused.out, (tmp_path / "a.tar").exists()) == (78, b"", False)
    taken = call(capfdbinary, "pull", name, str(tmp_path / "b.tar"), "--platform", "all", "--format", "oci")
    assert (taken.code, (tmp_path / "b.tar").exists()) == (0, True)


def test_a_blob_is_written_byte_for_byte(shelf: Shelf, tmp_path: Path, capfdbinary: Capture) -> None:
    """To standard output, for whatever reads there."""
    manifest = call(capfdbinary, "manifest", f"{shelf.repository}:1.0").document
    for descriptor in (manifest["config"], *manifest["layers"]):
        name = f"{shelf.repository}@{descriptor['digest']}"
        blob = call(capfdbinary, "blob", name)
        assert (blob.code, blob.err, len(blob.out)) == (0, "", descriptor["size"])
        assert made.sha256(blob.out) == descriptor["digest"]
        told = call(capfdbinary, "blob", name, "-o", "json").document
        assert told == {"reference": name, "digest": descriptor["digest"], "size": descriptor["size"]}
    missing = call(capfdbinary, "blob", f"{shelf.repository}@{made.sha256(b'not there')}")
    assert (missing.code, missing.out) == (66, b"")
    tagged = call(capfdbinary, "blob", f"{shelf.repository}:1.0")
    assert (tagged.code, tagged.out) == (2, b"")
    assert "a blob is named REPOSITORY@DIGEST" in tagged.err


def test_a_blob_is_not_poured_over_a_terminal(shelf: Shelf, capfdbinary: Capture) -> None:
    """Its bytes can be anything, and a terminal obeys some of them."""
    manifest = call(capfdbinary, "manifest", f"{shelf.repository}:1.0").document
    leader, follower = pty.openpty()
    try:
        name = f"{shelf.repository}@{manifest['config']['digest']}"
        done = subprocess.run([SCRIPT, "blob", name], stdout=follower, stderr=subprocess.PIPE, check=False, timeout=60)
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 78
    assert b"use `> FILE`" in done.stderr
