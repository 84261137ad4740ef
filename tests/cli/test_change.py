"""Commands that change what is there: tag, attach, delete."""

from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.shell import call
from tests.copy import made
from tests.real.docker_registry import RealRegistry

Capture = pytest.CaptureFixture[bytes]
IMAGE = made.image(made.layer("a"))


@pytest.fixture
def repository(registry: EmbeddedRegistry) -> str:
    """A repository with one image and two tags."""
    made.put(registry.host, "team/app", IMAGE, "1.0")
    made.put(registry.host, "team/app", IMAGE, "latest")
    return f"{registry.host}/team/app"


def test_a_new_tag_is_printed_with_what_it_stands_for(repository: str, capfdbinary: Capture) -> None:
    """And is there afterwards."""
    tagged = call(capfdbinary, "tag", f"{repository}:1.0", "stable")
    assert (tagged.code, tagged.text, tagged.err) == (0, f"{repository}:stable@{IMAGE.digest}\n", "")
    assert call(capfdbinary, "digest", f"{repository}:stable").text == f"{IMAGE.digest}\n"


def test_a_deleted_tag_leaves_the_others(repository: str, capfdbinary: Capture) -> None:
    """The image is still there under its other name."""
    assert call(capfdbinary, "delete", f"{repository}:1.0").text == f"{repository}:1.0\n"
    assert call(capfdbinary, "tags", repository).text == "latest\n"
    assert call(capfdbinary, "delete", f"{repository}:1.0").code == 66


def test_a_dry_run_says_what_would_go_and_changes_nothing(repository: str, capfdbinary: Capture) -> None:
    """Of a tag that is the tag, of a digest the manifest with all its tags."""
    for name, removes, tags in (
        (f"{repository}:1.0", "tag", ["1.0"]),
        (f"{repository}@{IMAGE.digest}", "manifest", ["1.0", "latest"]),
    ):
        plan = call(capfdbinary, "delete", name, "--dry-run", "-o", "json").document
        assert (plan["removes"], plan["tags"], plan["digest"]) == (removes, tags, IMAGE.digest)
        shown = call(capfdbinary, "delete", name, "--dry-run")
        assert (shown.code, shown.text.splitlines()[0]) == (0, f"nothing was deleted; `delete {name}` would remove:")
    assert call(capfdbinary, "tags", repository).text == "1.0\nlatest\n"


def test_where_a_tag_cannot_go_alone_the_others_are_named(real_registry: RealRegistry, capfdbinary: Capture) -> None:
    """Debian's docker-registry removes whole manifests only, so nothing is removed."""
    path = f"team-{IMAGE.digest[-12:]}/tags"
    for tag in ("1.0", "latest"):
        made.put(real_registry.host, path, IMAGE, tag)
    refused = call(capfdbinary, "delete", f"{real_registry.host}/{path}:1.0")
    assert (refused.code, refused.out) == (76, b"")
    assert "TagNotDeletable" in refused.err
    assert "which are also named latest" in refused.err
    assert call(capfdbinary, "tags", f"{real_registry.host}/{path}").code == 0
    made.check(real_registry.host, path, IMAGE, "1.0")


def test_what_is_attached_is_listed_by_referrers(repository: str, tmp_path: Path, capfdbinary: Capture) -> None:
    """By its type, with what was said of it."""
    sbom = tmp_path / "sbom.json"
    sbom.write_text("{}")
    name, kind = f"{repository}:1.0", "application/spdx+json"
    attached = call(
        capfdbinary, "attach", name, f"{sbom}:application/json", "--artifact-type", kind, "--annotation", "by=me"
    )
    assert (attached.code, attached.text.startswith(f"{repository}@sha256:")) == (0, True)
    digest = attached.text.strip().partition("@")[2]
    assert call(capfdbinary, "referrers", name).text == f"{digest} {kind}\n"
    found = call(capfdbinary, "referrers", name, "-o", "json").document["referrers"]
    assert [(each["digest"], each["artifact_type"], each["annotations"]) for each in found] == [
        (digest, kind, {"by": "me"})
    ]
    assert call(capfdbinary, "referrers", name, "--artifact-type", "application/other", "-o", "quiet").out == b""
    layer = call(capfdbinary, "manifest", f"{repository}@{digest}").document["layers"][0]
    assert (layer["mediaType"], layer["annotations"]["org.opencontainers.image.title"]) == (
        "application/json",
        "sbom.json",
    )


def test_what_was_attached_is_detached_by_its_digest(repository: str, tmp_path: Path, capfdbinary: Capture) -> None:
    """And the image is as it was."""
    (tmp_path / "note").write_text("a note")
    name = f"{repository}:1.0"
    attached = call(capfdbinary, "attach", name, str(tmp_path / "note"), "--artifact-type", "a/b").text.strip()
    assert call(capfdbinary, "detach", attached).text == f"{attached}\n"
    assert call(capfdbinary, "referrers", name).out == b""
    refused = call(capfdbinary, "detach", name)
    assert (refused.code, refused.out) == (2, b"")


def test_an_annotation_that_is_no_pair_is_refused(repository: str, tmp_path: Path, capfdbinary: Capture) -> None:
    """Before anything is sent."""
    (tmp_path / "a").write_text("a")
    arguments = ("attach", f"{repository}:1.0", str(tmp_path / "a"), "--artifact-type", "a/b", "--annotation", "by")
    refused = call(capfdbinary, *arguments)
    assert refused.code == 2
    assert "It is KEY=VALUE" in refused.err


def test_a_blob_is_deleted_by_its_digest_alone(repository: str, capfdbinary: Capture) -> None:
    """What it is has to be said, because a digest does not show it; a tag names none, and there is no plan of it."""
    layer = call(capfdbinary, "inspect", f"{repository}:1.0", "-o", "json").document["layers"][0]["digest"]
    name = f"{repository}@{layer}"
    assert call(capfdbinary, "delete", name).code == 66  # there is no such manifest
    assert call(capfdbinary, "delete", f"{repository}:1.0", "--blob").code == 2
    assert call(capfdbinary, "delete", name, "--blob", "--dry-run").code == 2
    assert call(capfdbinary, "blob", name, "-o", "json").code == 0
    deleted = call(capfdbinary, "delete", name, "--blob")
    assert (deleted.code, deleted.text, deleted.err) == (0, f"{name}\n", "")
    assert call(capfdbinary, "delete", name, "--blob").code == 66
    assert call(capfdbinary, "blob", name, "-o", "json").code == 66
