"""Walks: what is beneath an index is read once and level by level, and no more of it than an honest index has."""

from __future__ import annotations

from returns.future import FutureResult

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import LimitExceeded
from registry_fp.domain.manifest import ImageIndex, RawManifest, parse_manifest
from registry_fp.domain.media_type import OCI_INDEX, OCI_MANIFEST
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op
from registry_fp.pipelines.walk import walk


def _index(*listed: Descriptor) -> RawManifest:
    model = ImageIndex(schema_version=2, media_type=OCI_INDEX, manifests=listed)
    return parse_manifest(model.model_dump_json(by_alias=True, exclude_none=True).encode()).unwrap()


def _entry(number: int, size: int = 2) -> Descriptor:
    return Descriptor(media_type=OCI_MANIFEST, digest=digest_of(str(number).encode()), size=size)


def _unread(_: Descriptor) -> Op[RawManifest | None]:
    nothing: Op[RawManifest | None] = FutureResult.from_value(None)
    return nothing


def _untouched(_: Descriptor) -> Op[RawManifest | None]:
    raise AssertionError("nothing of it is read")


async def test_an_index_of_too_many_manifests_is_refused_before_any_is_read() -> None:
    """Each costs a request, and whoever wrote the index pays for none."""
    out = await settle(walk("app", _index(*map(_entry, range(20_000))), _untouched, limit=4))
    assert isinstance(out, Err)
    assert out.error.reason == LimitExceeded("manifests in an index", 20_000)


async def test_an_index_of_too_many_bytes_is_refused_with_their_number() -> None:
    """Manifests are held in memory until their blobs are there; who reads of a number of manifests looks in vain."""
    heavy = _index(*(_entry(number, 4 * 1024 * 1024) for number in range(32)))
    out = await settle(walk("app", heavy, _untouched, limit=4))
    assert isinstance(out, Err)
    assert out.error.reason == LimitExceeded("bytes of the manifests in an index", 128 * 1024 * 1024)


async def test_indexes_within_each_other_come_to_an_end() -> None:
    """A chain of them costs whoever writes it next to nothing."""
    known: dict[str, RawManifest] = {}
    top = _index()
    for _ in range(20):
        known[str(top.digest)] = top
        top = _index(top.descriptor)

    def read(entry: Descriptor) -> Op[RawManifest | None]:
        found: Op[RawManifest | None] = FutureResult.from_value(known[str(entry.digest)])
        return found

    out = await settle(walk("app", top, read, limit=4))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, LimitExceeded)


async def test_what_is_listed_twice_is_read_once_and_what_is_no_manifest_stays_unread() -> None:
    """An index may list one image for two platforms."""
    asked: list[Descriptor] = []

    def read(entry: Descriptor) -> Op[RawManifest | None]:
        asked.append(entry)
        return _unread(entry)

    root = _index(_entry(1), _entry(2), _entry(1))
    out = await settle(walk("app", root, read, limit=4))
    assert isinstance(out, Ok)
    assert len(asked) == 2
    assert (list(out.value.manifests), out.value.unread) == ([root.digest], (_entry(1).digest, _entry(2).digest))
