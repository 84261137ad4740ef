"""Laws of `index.json`: what is merged into it is there, and nothing else has changed."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.archive.layout_edit import create_layout, list_in_layout
from registry_fp.archive.layout_index import INDEX_JSON_LIMIT, REF_NAME, parse_index_json, pick_listed, with_entry
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import LimitExceeded
from registry_fp.domain.model import Annotations

_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(["1.0", "1.1", "latest", None])
_CONTENT = st.sampled_from([b"a", b"b", b"c"])
_UNKNOWN = st.dictionaries(_TEXT.map(lambda text: f"x-{text}"), _ANYTHING, max_size=3)


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    entries = draw(st.lists(st.tuples(_CONTENT, _NAMES, _UNKNOWN), max_size=6))
    written = [_written(content, name) | more for content, name, more in entries]
    return draw(_UNKNOWN) | {"schemaVersion": 2, "manifests": written} | draw(_UNKNOWN)


def _entry(content: bytes, name: str | None) -> Descriptor:
    named = None if name is None else Annotations({REF_NAME: name})
    media_type = "application/vnd.oci.image.manifest.v1+json"
    return Descriptor(media_type=media_type, digest=digest_of(content), size=len(content), annotations=named)


def _written(content: bytes, name: str | None) -> dict[str, Any]:
    return _entry(content, name).model_dump(mode="json", exclude_none=True)


def _name(item: dict[str, Any]) -> str | None:
    found: str | None = item.get("annotations", {}).get(REF_NAME)
    return found


@given(_documents(), _CONTENT, _NAMES)
def test_an_entry_is_merged_and_all_else_stays(before: dict[str, Any], content: bytes, name: str | None) -> None:
    """Two programs share the file, and each must find what it wrote."""
    new = _entry(content, name)
    after = json.loads(with_entry(json.dumps(before).encode(), new).unwrap())
    assert list(after) == list(before)
    assert {key: value for key, value in after.items() if key != "manifests"} == {
        key: value for key, value in before.items() if key != "manifests"
    }
    same = [item for item in after["manifests"] if item["digest"] == str(new.digest)]
    assert [item for item in same if name is None or _name(item) == name]
    if name is not None:
        assert [_name(item) for item in after["manifests"]].count(name) == 1
    taken = [
        item
        for item in before["manifests"]
        if name is not None and (_name(item) == name or (_name(item) is None and item["digest"] == str(new.digest)))
    ]
    others = [item for item in before["manifests"] if item not in taken]
    assert [item for item in after["manifests"] if item in others] == others


@given(_documents(), _CONTENT, _NAMES)
def test_merging_twice_is_merging_once(before: dict[str, Any], content: bytes, name: str | None) -> None:
    """A run that is repeated changes nothing."""
    once = with_entry(json.dumps(before).encode(), _entry(content, name)).unwrap()
    assert with_entry(once, _entry(content, name)).unwrap() == once


@given(_documents(), st.sampled_from(["1.0", "1.1", "latest"]))
def test_what_is_named_is_found(before: dict[str, Any], name: str) -> None:
    """The name that something was stored under is the name that chooses it."""
    after = with_entry(json.dumps(before).encode(), _entry(b"new", name)).unwrap()
    listed = parse_index_json(after).unwrap()
    assert pick_listed(listed, name).unwrap().digest == digest_of(b"new")


@given(st.binary(max_size=200) | _ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    """Whatever a file holds, the answer is a value."""
    parse_index_json(raw)
    with_entry(raw, _entry(b"a", "1.0"))


async def test_an_index_never_grows_beyond_what_is_read_of_it(tmp_path: Path) -> None:
    """A layout that nobody could open any more would be lost for one entry too many."""
    assert is_successful(await create_layout(str(tmp_path)))
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"schemaVersion": 2, "manifests": [], "x": "x" * (INDEX_JSON_LIMIT - 100)}))
    before = path.read_bytes()
    listed = await list_in_layout(str(tmp_path), _entry(b"a", "1.0"))
    assert isinstance(listed.failure(), LimitExceeded)
    assert path.read_bytes() == before
