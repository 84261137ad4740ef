"""Edits as functions: what is asked for changes, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp import Descriptor, Misconfigured, Unsupported, digest_of, parse_image_config
from registry_fp.domain.edit import ImageEdit, LayerNote, append_to_config, edit_config, edit_manifest
from registry_fp.domain.errors import MalformedDocument
from registry_fp.domain.index_edit import render_index, rewrite_index
from registry_fp.domain.manifest import RawManifest, parse_manifest
from registry_fp.domain.platform import parse_platform
from tests.domain.documents import IMAGE, encoded, unknown_fields
from tests.formats.place import DOCKER, DOCKER_LIST, OCI, OCI_INDEX, sha256

DIFF: Final = digest_of(b"a layer's content")
TOP: Final = ["architecture", "os", "os.version", "variant", "created", "author", "config", "rootfs", "history"]
RUNS: Final = ["user", "env", "entrypoint", "cmd", "workingdir", "labels", "stopsignal"]
NAMES: Final = st.sampled_from(["PATH", "A", "B", "LANG", "ä"])
_changes = st.dictionaries(NAMES, st.none() | st.sampled_from(["", "1", "x=y", "ü \n"]), max_size=4)
_configs = st.builds(
    lambda top, runs, pairs: {
        **top,
        "architecture": "arm64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [str(DIFF)]},
        "config": {**runs, "Env": pairs, "Labels": {"kept": "1"}},
    },
    unknown_fields(*TOP),
    unknown_fields(*RUNS),
    st.lists(st.builds("{}={}".format, NAMES, st.sampled_from(["", "0", "a=b"])), max_size=5),
)


def _edited(document: Mapping[str, Any], edit: ImageEdit) -> dict[str, Any]:
    return dict(json.loads(edit_config(encoded(document), edit).unwrap()))


def _as_a_shell_would(pairs: Sequence[str]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in pairs)


@given(document=_configs, changes=_changes)
def test_the_environment_is_what_was_asked_for_and_what_was_there(
    document: dict[str, Any], changes: dict[str, str | None]
) -> None:
    """Set, replaced, removed; and a variable that nobody mentions keeps its value."""
    after = _edited(document, ImageEdit(env=changes))
    before = document["config"]["Env"]
    wanted = {name: text for name, text in {**_as_a_shell_would(before), **changes}.items() if text is not None}
    assert _as_a_shell_would(after["config"].get("Env", [])) == wanted
    rest = {name: value for name, value in after.items() if name != "config"}
    assert rest == {name: value for name, value in document.items() if name != "config"}
    assert {**after["config"], "Env": 0} == {**document["config"], "Env": 0}


@given(document=_configs, changes=_changes, indent=st.sampled_from([None, 2, "\t"]))
def test_an_edit_twice_is_the_edit_once(
    document: dict[str, Any], changes: dict[str, str | None], indent: int | None
) -> None:
    """A release that is run again gives the same digest; and an edit of nothing gives the same bytes."""
    raw = json.dumps(document, indent=indent).encode()
    edit = ImageEdit(env=changes, labels=changes, cmd=["run", "ä"], user="")
    once = edit_config(raw, edit).unwrap()
    assert edit_config(once, edit).unwrap() == once
    assert edit_config(raw, ImageEdit()).unwrap() == raw
    assert is_successful(parse_image_config(once))


def test_the_order_of_what_is_there_stays() -> None:
    """People compare configurations by eye."""
    raw = (
        b'{"os":"linux","x":1.5,"config":{"Cmd":["a"],"Env":["Z=1","A=2"]},'
        b'"architecture":"arm64","rootfs":{"type":"layers"}}'
    )
    edit = ImageEdit(env={"A": "3", "Z": "0", "N": "new"}, working_dir="/srv", author="us")
    assert edit_config(raw, edit).unwrap() == (
        b'{"os":"linux","x":1.5,"config":{"Cmd":["a"],"Env":["Z=0","A=3","N=new"],"WorkingDir":"/srv"},'
        b'"architecture":"arm64","rootfs":{"type":"layers"},"author":"us"}'
    )


def test_nothing_removes_and_none_leaves_alone() -> None:
    """A text that is empty, a list that is empty: Docker's own way to say that there is none."""
    document = {
        "architecture": "arm64",
        "os": "linux",
        "rootfs": {"type": "layers"},
        "author": "me",
        "created": "x",
        "config": {"User": "1", "Entrypoint": ["e"], "Cmd": ["c"], "WorkingDir": "/", "Labels": {"a": "1"}},
    }
    edit = ImageEdit(user="", entrypoint=(), cmd=None, labels={"a": None}, author="", working_dir="/srv")
    after = _edited(document, edit)
    assert after["config"] == {"Cmd": ["c"], "WorkingDir": "/srv"}
    assert ("author" in after, after["created"]) == (False, "x")


def test_a_configuration_without_a_process_gets_one() -> None:
    """Images made from nothing have `config: null`, or no `config`."""
    for more in ({}, {"config": None}):
        document = {"architecture": "arm64", "os": "linux", "rootfs": {"type": "layers"}, **more}
        assert _edited(document, ImageEdit(cmd=["x"]))["config"] == {"Cmd": ["x"]}
        assert _edited(document, ImageEdit(user="")) == document


@pytest.mark.parametrize(
    "edit",
    [
        ImageEdit(env={"": "1"}),
        ImageEdit(env={"A=B": "1"}),
        ImageEdit(env={"A": "\0"}),
        ImageEdit(labels={"": "1"}),
        ImageEdit(labels={"a": "\ud800"}),
        ImageEdit(annotations={"\udfff": "1"}),
        ImageEdit(cmd=["\0"]),
        ImageEdit(entrypoint=["\ud800"]),
        ImageEdit(user="\0"),
    ],
)
def test_what_cannot_stand_in_a_configuration_is_refused(edit: ImageEdit) -> None:
    """As a value, and never as a UnicodeEncodeError in somebody's service."""
    raw = b'{"architecture":"arm64","os":"linux","rootfs":{"type":"layers"}}'
    assert isinstance(edit_config(raw, edit).failure(), Misconfigured)


def test_what_is_no_configuration_is_not_edited() -> None:
    """Nor made into one."""
    for raw in (b"{}", b"[]", b'{"architecture":"a","os":"b","rootfs":{"type":"layers"},"config":{"env":["A=1"]}}'):
        assert isinstance(edit_config(raw, ImageEdit(user="1")).failure(), MalformedDocument)


def _history(lines: object) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [str(DIFF)]}
    more = {} if lines is None else {"history": lines}
    return json.dumps({"architecture": "arm64", "os": "linux", "rootfs": rootfs, **more}).encode()


@pytest.mark.parametrize(
    ("lines", "grows"),
    [
        ([{"created_by": "one"}], True),
        ([{"created_by": "one"}, {"empty_layer": True}], True),
        ([{"empty_layer": True}], False),
        ([], False),
        (None, False),
    ],
)
def test_a_layer_has_its_line_of_history_where_every_other_layer_has_one(lines: Any, *, grows: bool) -> None:
    """Tools count the lines that are no empty layer, to tell which line made which layer."""
    note = LayerNote("2024-01-01T00:00:00Z", "cp ca.pem /etc/ssl", "certificates")
    raw = append_to_config(_history(lines), digest_of(b"new"), note).unwrap()
    document = json.loads(raw)
    line = {"created": note.created, "created_by": note.created_by, "comment": note.comment}
    assert document["rootfs"]["diff_ids"] == [str(DIFF), sha256(b"new")]
    assert document.get("history") == ([*lines, line] if grows else lines)
    assert is_successful(parse_image_config(raw))


def test_a_manifest_points_at_its_new_configuration_and_keeps_everything_else() -> None:
    """Size and digest are the new bytes'; a copy of the old ones that was embedded is not kept."""
    document = {
        "x": [1.5],
        **IMAGE,
        "config": {**IMAGE["config"], "y": 1, "data": "Y29uZmln"},
        "annotations": {"a": "1"},
    }
    config = Descriptor(media_type=IMAGE["config"]["mediaType"], digest=digest_of(b"new"), size=3)
    layer = Descriptor(media_type="application/vnd.oci.image.layer.v1.tar+gzip", digest=digest_of(b"l"), size=1)
    manifest = parse_manifest(encoded(document)).unwrap()
    after = edit_manifest(manifest, config=config, layers=(layer,), annotations={"b": "2", "a": None}).unwrap()
    assert json.loads(after.raw) == {
        **document,
        "config": {"mediaType": config.media_type, "y": 1, "digest": sha256(b"new"), "size": 3},
        "layers": [*IMAGE["layers"], {"mediaType": layer.media_type, "digest": sha256(b"l"), "size": 1}],
        "annotations": {"b": "2"},
    }
    assert edit_manifest(manifest, annotations={"a": "1", "never": None}).unwrap() is manifest


def test_docker_manifests_have_no_annotations() -> None:
    """They would be there, and nobody would read them."""
    image = parse_manifest(encoded({**IMAGE, "mediaType": DOCKER})).unwrap()
    assert isinstance(edit_manifest(image, annotations={"a": "1"}).failure(), Unsupported)
    index = render_index([_entry("linux/arm64", media_type=DOCKER)]).unwrap()
    assert index.media_type == DOCKER_LIST
    assert isinstance(rewrite_index(index, annotations={"a": "1"}).failure(), Unsupported)
    assert render_index([_entry("linux/arm64", media_type=DOCKER)], {"a": "1"}).unwrap().media_type == OCI_INDEX


def _entry(platform: str | None, name: str = "", media_type: str = OCI, **more: Any) -> Descriptor:
    known = None if platform is None else parse_platform(platform).unwrap()
    digest = digest_of(f"{platform}{name}".encode())
    return Descriptor(media_type=media_type, digest=digest, size=7, platform=known, **more)


def _attestation(of: Descriptor) -> Descriptor:
    annotations = {"vnd.docker.reference.digest": str(of.digest), "vnd.docker.reference.type": "attestation-manifest"}
    return _entry("unknown/unknown", str(of.digest), annotations=annotations)


def _listed(index: RawManifest) -> list[str]:
    return [entry["digest"] for entry in json.loads(index.raw)["manifests"]]


def _digests(*entries: Descriptor) -> list[str]:
    return [str(entry.digest) for entry in entries]


AMD, ARM, ARM7 = _entry("linux/amd64"), _entry("linux/arm64"), _entry("linux/arm/v7")


def test_an_image_takes_the_place_of_the_one_for_its_platform() -> None:
    """However the platform is spelled: arm64 is arm64/v8."""
    index = render_index([AMD, ARM, _attestation(ARM), ARM7]).unwrap()
    newer = ARM.model_copy(update={"digest": digest_of(b"newer"), "platform": parse_platform("linux/arm64").unwrap()})
    newer = newer.model_copy(
        update={"platform": newer.platform and newer.platform.model_copy(update={"variant": "v8"})}
    )
    after = rewrite_index(index, added=[newer, _attestation(newer)]).unwrap()
    assert _listed(after) == _digests(AMD, newer, ARM7, _attestation(newer))
    assert rewrite_index(after, added=[newer]).unwrap() is after


def test_an_attestation_goes_where_its_image_goes() -> None:
    """It would vouch for something that is not there."""
    index = render_index([AMD, _attestation(AMD), ARM, _attestation(ARM)]).unwrap()
    assert _listed(rewrite_index(index, became={AMD.digest: None}).unwrap()) == _digests(ARM, _attestation(ARM))
    became = ARM.model_copy(update={"digest": digest_of(b"edited"), "size": 9, "platform": None})
    edited = rewrite_index(index, became={ARM.digest: became}).unwrap()
    assert _listed(edited) == _digests(AMD, _attestation(AMD), became)
    assert json.loads(edited.raw)["manifests"][2]["platform"] == {"architecture": "arm64", "os": "linux"}
    assert rewrite_index(index, became={ARM.digest: ARM.model_copy(update={"platform": None})}).unwrap() is index


def test_an_index_is_never_empty_and_never_ambiguous() -> None:
    """Nobody can pull the one; nobody knows what the other gives."""
    index = render_index([AMD, _attestation(AMD)]).unwrap()
    twice = [_entry("linux/arm64", "a"), _entry("linux/arm64", "b")]
    for refused in (
        render_index([]),
        render_index(twice),
        rewrite_index(index, became={AMD.digest: None}),
        rewrite_index(index, added=twice),
    ):
        assert isinstance(refused.failure(), Misconfigured)
    nameless = [_entry(None, "a"), _entry(None, "b")]
    assert _listed(render_index(nameless).unwrap()) == _digests(*nameless)


def test_the_unknown_fields_of_an_index_stay() -> None:
    """Of the index, and of every entry that is not asked about."""
    listed = {"x": {"y": 1.5}, "mediaType": OCI, "digest": str(AMD.digest), "size": 7}
    document = {"x-top": [None], "manifests": [listed], "schemaVersion": 2, "mediaType": OCI_INDEX}
    index = parse_manifest(json.dumps(document, indent=3).encode()).unwrap()
    after = rewrite_index(index, added=[ARM], annotations={"a": "1"}).unwrap()
    shown = json.loads(after.raw)
    assert list(shown) == [*document, "annotations"]
    assert shown["manifests"][0] == listed
    assert after.raw.startswith(b'{\n   "x-top"')


def test_ten_thousand_entries_are_edited_in_one_pass() -> None:
    """Platforms are looked up, not compared each with each."""
    entries = [_entry(None, str(number)) for number in range(10_000)]
    index = render_index(entries).unwrap()
    assert _listed(rewrite_index(index, added=[AMD]).unwrap()) == _digests(*entries, AMD)
