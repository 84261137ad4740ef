"""`validate`, as it is seen: one line for each image that is sound, and one for each thing that is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry_fp.cli.options import ANY_REGISTRY, ShowOptions
from registry_fp.cli.validate import validate_image
from tests.cli.shell import Outcome, run
from tests.copy.made import FOREIGN, MANIFEST, Made, five_platforms, image, layer, sha256
from tests.layout.written import entry, pack, write_layout
from tests.validate_remote.conftest import Vault
from tests.validate_remote.images import flipped, write_saved

Capture = pytest.CaptureFixture[bytes]


def _said(
    capture: Capture, noun: object, image: str | None = None, platform: str | None = None, *, form: str
) -> Outcome:
    show = ShowOptions(output=form)  # type: ignore[arg-type]  # one of the four forms
    code = validate_image(str(noun), image, platform, ANY_REGISTRY, show)
    out, err = capture.readouterr()
    return Outcome(code, out, err.decode())


def test_an_image_in_a_registry_is_said_to_be_sound(counting: Vault, capfdbinary: Capture) -> None:
    """The line can be pasted: what was proven is the digest in it."""
    made = five_platforms()
    name, size = counting.put(made), sum(map(len, (*(each.raw for each in made.all()), *made.content.values())))
    assert _said(capfdbinary, name, form="text").text == f"{name}@{made.digest} ok: 6 manifests, 11 blobs, 125 KiB\n"
    assert _said(capfdbinary, name, form="quiet").text == f"{made.digest}\n"
    told = {
        "name": f"{name}@{made.digest}",
        "digest": made.digest,
        "kind": "registry",
        "manifests": 6,
        "blobs": 11,
        "size": size,
        "foreign": [],
    }
    assert _said(capfdbinary, name, form="json").document == {"name": name, "images": [told]}
    assert _said(capfdbinary, name, form="ndjson").objects == [told]
    one = _said(capfdbinary, name, platform="linux/arm64", form="ndjson").objects[0]
    assert (one["digest"], one["manifests"], one["blobs"]) == (made.listed[1].digest, 1, 3)


def test_what_was_not_asked_for_is_said(counting: Vault, capfdbinary: Capture) -> None:
    """An image is sound but for what is somewhere else, which is not the registry's fault."""
    plain = image(layer("far"))
    document = json.loads(plain.raw)
    document["layers"][0]["mediaType"] = FOREIGN
    config = {digest: content for digest, content in plain.blobs.items() if digest != sha256(layer("far"))}
    name = counting.put(Made(MANIFEST, json.dumps(document).encode(), config))
    assert ", 1 not asked for, because they may not be distributed\n" in _said(capfdbinary, name, form="text").text
    assert _said(capfdbinary, name, form="json").document["images"][0]["foreign"] == [sha256(layer("far"))]


def test_every_fault_is_named(counting: Vault, capfdbinary: Capture) -> None:
    """One line each on standard error, nothing on standard output, and an exit code that says what they are."""
    made = five_platforms()
    name, gone, hurt = counting.put(made), made.listed[0], list(made.listed[1].blobs)[2]
    counting.kept(hurt).write_bytes(flipped(made.content[hurt]))
    one = _said(capfdbinary, name, form="text")
    assert (one.code, one.out) == (65, b"")
    assert one.err.startswith(f"error: get_blob {counting.name(hurt)}: DigestMismatch: ")
    counting.lose(gone)
    both = _said(capfdbinary, name, form="text")
    assert (both.code, both.out) == (1, b"")
    total, first, second, *hints = both.err.splitlines()
    assert total == f"error: validate_remote {name}: 2 of 15 failed"
    assert first.startswith(f"error: get_manifest {counting.name(gone.digest)}: NotFound: ")
    assert second.startswith(f"error: get_blob {counting.name(hurt)}: DigestMismatch: ")
    assert [line.partition(" ")[0] for line in hints] == ["hint:", "hint:"]
    (error,) = [json.loads(line)["error"] for line in _said(capfdbinary, name, form="json").err.splitlines()]
    assert [each["target"] for each in error["errors"]] == [counting.name(gone.digest), counting.name(hurt)]
    assert _said(capfdbinary, f"{counting.host}/{counting.path}:none", form="quiet").code == 66


def test_what_is_on_disk_is_said_to_be_sound_in_the_same_shape(tmp_path: Path, capfdbinary: Capture) -> None:
    """A layout of two images, and the tar of it; and an archive, which has no digest to name."""
    made, one = five_platforms(), image(layer("one"))
    folder = write_layout(tmp_path / "layout", made, one, entries=[entry(made, "1.0"), entry(one)])
    for noun in (folder, pack(folder, tmp_path / "layout.tar")):
        first, second = _said(capfdbinary, noun, form="text").text.splitlines()
        assert first == f"1.0@{made.digest} ok: 6 manifests, 11 blobs, 125 KiB"
        assert second == f"{one.digest} ok: 2 blobs, 20 KiB"
        assert _said(capfdbinary, noun, form="quiet").text == f"{made.digest}\n{one.digest}\n"
        chosen = _said(capfdbinary, noun, "1.0", form="json").document
        assert [(each["name"], each["kind"], each["blobs"]) for each in chosen["images"]] == [("1.0", "layout", 11)]
    saved = write_saved(tmp_path / "app.tar", one)
    assert _said(capfdbinary, saved, form="text").text == "app:1.0 ok: 2 blobs, 20 KiB\n"
    assert _said(capfdbinary, saved, form="quiet").text == "app:1.0\n"
    assert _said(capfdbinary, saved, form="json").document == {
        "name": str(saved),
        "images": [
            {
                "name": "app:1.0",
                "digest": None,
                "kind": "archive",
                "manifests": 0,
                "blobs": 2,
                "size": sum(map(len, one.blobs.values())),
                "foreign": [],
            }
        ],
    }


def test_what_is_wrong_on_disk_is_named_alike(tmp_path: Path, capfdbinary: Capture) -> None:
    """Damage is 65, whatever it is damage to; what is not there at all is 66."""
    one = image(layer("one"))
    hurt = Made(one.media_type, one.raw, {**one.blobs, sha256(layer("one")): flipped(layer("one"))})
    for noun in (write_layout(tmp_path / "layout", hurt), write_saved(tmp_path / "app.tar", hurt)):
        broken = _said(capfdbinary, noun, form="text")
        assert (broken.code, broken.out) == (65, b"")
        assert broken.err.startswith("error: ")
        assert sha256(layer("one")).partition(":")[2] in broken.err
    assert _said(capfdbinary, tmp_path / "none.tar", form="text").code == 66


def test_options_that_do_not_fit_are_refused(counting: Vault, tmp_path: Path, capfdbinary: Capture) -> None:
    """A choice that would be ignored is worse than an error."""
    folder = write_layout(tmp_path / "layout", five_platforms())
    for noun, selector, platform in ((folder, None, "linux/amd64"), (f"{counting.host}/app:1.0", "1.0", None)):
        refused = _said(capfdbinary, noun, selector, platform, form="text")
        assert (refused.code, refused.out) == (78, b"")
    assert _said(capfdbinary, "no such name", form="text").code == 2
    assert counting.registry.counts().requests == 0


def test_the_script_says_the_same(counting: Vault, tmp_path: Path) -> None:
    """As a shell starts it, for what is in a registry and for what is on disk."""
    one = image(layer("one"))
    name, folder = counting.put(one), write_layout(tmp_path / "layout", one, entries=[entry(one, "1.0")])
    there, here = run("validate", name), run("validate", str(folder), "--image", "1.0")
    assert (there.code, there.text, there.err) == (0, f"{name}@{one.digest} ok: 2 blobs, 20 KiB\n", "")
    assert (here.code, here.text, here.err) == (0, f"1.0@{one.digest} ok: 2 blobs, 20 KiB\n", "")
    counting.kept(sha256(layer("one"))).unlink()
    assert run("validate", name, "-o", "quiet").code == 66
