"""Annotations: a mapping that can be frozen, hashed and sent away."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.model import Annotations

_pairs = st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=5)


@given(pairs=_pairs)
def test_equal_pairs_are_equal_annotations_whatever_their_order(pairs: dict[str, str]) -> None:
    """A set of descriptors must not hold one blob twice because of a JSON writer's order."""
    backwards = Annotations(dict(reversed(pairs.items())))
    assert Annotations(pairs) == backwards == pairs
    assert hash(Annotations(pairs)) == hash(backwards)
    assert len({Annotations(pairs), backwards}) == 1


@given(pairs=_pairs)
def test_they_survive_pickle_and_copy(pairs: dict[str, str]) -> None:
    """A manifest goes to other machines with everything that is in it."""
    annotations = Annotations(pairs)
    assert pickle.loads(pickle.dumps(annotations)) == annotations  # noqa: S301  our own bytes
    assert copy.copy(annotations) == copy.deepcopy(annotations) == annotations


def test_they_do_not_change_when_what_they_were_made_of_does() -> None:
    """Frozen means frozen, down to the mapping that came from outside."""
    pairs = {"a": "1"}
    annotations = Annotations(pairs)
    pairs["a"] = "2"
    assert annotations == {"a": "1"}
    with pytest.raises(TypeError):
        annotations["a"] = "2"  # type: ignore[index]


def test_a_descriptor_with_annotations_has_a_hash() -> None:
    """Descriptors stand in sets and as keys."""
    one, other = (
        Descriptor(media_type="x", digest=digest_of(b""), size=0, annotations=Annotations({"a": "1"})) for _ in range(2)
    )
    assert len({one, other}) == 1


@given(pairs=_pairs)
def test_in_json_they_are_an_object_of_strings(pairs: dict[str, str]) -> None:
    """What goes out is what came in."""
    blob = Descriptor(media_type="x", digest=digest_of(b""), size=0, annotations=Annotations(pairs))
    assert blob.model_dump()["annotations"] == pairs
    assert Descriptor.model_validate_json(blob.model_dump_json()) == blob


@pytest.mark.parametrize("value", [{"a": 1}, {"a": None}, [], "a"])
def test_anything_else_is_refused(value: object) -> None:
    """An annotation is text, and a number that became text would be another annotation."""
    with pytest.raises(ValidationError):
        Descriptor.model_validate({"mediaType": "x", "digest": str(digest_of(b"")), "size": 0, "annotations": value})
