"""Commands that make one image of another: convert, edit, append, index."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.shell import call
from tests.copy import made
from tests.real.docker_registry import RealRegistry

Capture = pytest.CaptureFixture[bytes]
IMAGE = made.image(made.layer("a"), platform="linux/amd64")
OTHER = made.image(made.layer("b"), platform="linux/arm64/v8")


@pytest.fixture(params=["embedded", "docker-registry"])
def repository(request: pytest.FixtureRequest) -> str:
    """A repository with two images for two platforms."""
    host: str = (
        request.getfixturevalue("registry").host
        if request.param == "embedded"
        else request.getfixturevalue("real_registry").host
    )
    name = f"rewritten/{IMAGE.digest[-12:]}"
    made.put(host, name, IMAGE, "1.0")
    made.put(host, name, OTHER, "arm")
    return f"{host}/{name}"


def test_an_edit_is_seen_in_the_configuration_and_moves_no_layer(repository: str, capfdbinary: Capture) -> None:
    """What is printed is the new image, pinned."""
    words = ("--env", "A=1", "--label", "stage=test", "--entrypoint", '["sh", "-c"]', "--cmd", "id", "--user", "nobody")
    edited = call(capfdbinary, "edit", f"{repository}:1.0", f"{repository}:2.0", *words, "--workdir", "/srv")
    assert edited.code == 0
    assert edited.text.startswith(f"{repository}:2.0@sha256:")
    running = call(capfdbinary, "config", f"{repository}:2.0").document["config"]
    assert (running["Env"], running["Labels"]) == (["A=1"], {"stage": "test"})
    assert (running["Entrypoint"], running["Cmd"]) == (["sh", "-c"], ["id"])
    assert (running["User"], running["WorkingDir"]) == ("nobody", "/srv")
    before, after = (
        json.loads(call(capfdbinary, "manifest", f"{repository}:{tag}").out)["layers"] for tag in ("1.0", "2.0")
    )
    assert before == after


def test_what_was_set_can_be_removed(repository: str, capfdbinary: Capture) -> None:
    """And then the image is what it was, to the digest, except for what an empty configuration says."""
    call(capfdbinary, "edit", f"{repository}:1.0", f"{repository}:2.0", "--env", "A=1", "--env", "B=2")
    call(capfdbinary, "edit", f"{repository}:2.0", f"{repository}:3.0", "--unset-env", "A")
    assert call(capfdbinary, "config", f"{repository}:3.0").document["config"]["Env"] == ["B=2"]


def test_the_other_family_has_other_media_types(repository: str, capfdbinary: Capture) -> None:
    """And back again it is the image that it was."""
    became = call(capfdbinary, "convert", f"{repository}:1.0", f"{repository}:docker", "--to", "docker", "-o", "json")
    assert (became.code, became.document["media_type"], became.document["moved"]) == (0, made.DOCKER_MANIFEST, 0)
    back = call(capfdbinary, "convert", f"{repository}:docker", f"{repository}:oci", "--to", "oci", "-o", "json")
    assert back.document["media_type"] == made.MANIFEST


def test_a_layer_on_top_is_the_tar(repository: str, capfdbinary: Capture, tmp_path: Path) -> None:
    """Its files can be listed afterwards."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("etc/added"))
    (tmp_path / "layer.tar.gz").write_bytes(gzip.compress(content.getvalue(), mtime=0))
    words = (f"{repository}:1.0", f"{repository}:topped", str(tmp_path / "layer.tar.gz"), "--created-by", "by hand")
    assert call(capfdbinary, "append", *words).code == 0
    assert len(call(capfdbinary, "config", f"{repository}:topped").document["rootfs"]["diff_ids"]) == 2
    assert len(json.loads(call(capfdbinary, "manifest", f"{repository}:topped").out)["layers"]) == 2


def test_an_index_is_made_and_changed(repository: str, capfdbinary: Capture) -> None:
    """Made of two images; then one of them is left out."""
    words = (f"{repository}:all", f"{repository}:1.0", f"{repository}:arm", "--annotation", "a=b")
    assert call(capfdbinary, "index", "create", *words).code == 0
    both = json.loads(call(capfdbinary, "manifest", f"{repository}:all").out)
    assert ([each["digest"] for each in both["manifests"]], both["annotations"]) == (
        [IMAGE.digest, OTHER.digest],
        {"a": "b"},
    )
    one = call(
        capfdbinary, "index", "edit", f"{repository}:all", f"{repository}:few", "--without", "linux/arm64", "-o", "json"
    )
    assert (one.code, one.document["source"]) == (
        0,
        f"{repository}:all@{made.sha256(call(capfdbinary, 'manifest', f'{repository}:all').out)}",
    )
    few = json.loads(call(capfdbinary, "manifest", f"{repository}:few").out)
    assert [each["digest"] for each in few["manifests"]] == [IMAGE.digest]


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "localhost:1/a", "localhost:1/b", "--env", "A"),
        ("edit", "localhost:1/a", "localhost:1/b", "--cmd", "[1]"),
        ("index", "create", "localhost:1/a", "localhost:1/b", "--annotation", "=x"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_said_before_anything_is_asked(words: tuple[str, ...], capfdbinary: Capture) -> None:
    """The option is named; no registry listens at that port."""
    refused = call(capfdbinary, *words)
    assert (refused.code, refused.out) == (2, b"")
    assert len(refused.err.splitlines()) == 2


def test_files_go_and_come_back(registry: EmbeddedRegistry, capfdbinary: Capture, tmp_path: Path) -> None:
    """Byte for byte, with their names; the same files are the same artifact."""
    (tmp_path / "model.bin").write_bytes(b"\0weights" * 100)
    (tmp_path / "card.md").write_text("# A card\n")
    name = f"{registry.host}/models/small:1"
    files = (str(tmp_path / "model.bin"), f"{tmp_path / 'card.md'}:text/markdown")
    words = ("artifact", "push", name, *files, "--artifact-type", "application/vnd.example.model")
    pushed = call(capfdbinary, *words, "--annotation", "a=b")
    assert pushed.code == 0
    assert call(capfdbinary, *words, "--annotation", "a=b").text == pushed.text
    manifest = json.loads(call(capfdbinary, "manifest", name).out)
    assert (manifest["artifactType"], manifest["annotations"]) == ("application/vnd.example.model", {"a": "b"})
    pulled = call(capfdbinary, "artifact", "pull", name, str(tmp_path / "back"))
    assert pulled.text.splitlines() == [str(tmp_path / "back" / each) for each in ("model.bin", "card.md")]
    assert (tmp_path / "back" / "model.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()


def test_an_artifact_on_docker_registry(real_registry: RealRegistry, capfdbinary: Capture, tmp_path: Path) -> None:
    """Debian's registry takes it, too."""
    (tmp_path / "a.txt").write_text("a")
    name = f"{real_registry.host}/models/cli:1"
    assert call(capfdbinary, "artifact", "push", name, str(tmp_path / "a.txt")).code == 0
    document = call(capfdbinary, "artifact", "pull", name, str(tmp_path / "back"), "-o", "json").document
    assert [each["title"] for each in document["files"]] == ["a.txt"]
