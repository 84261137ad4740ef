"""Downloads that begin in the middle: what an earlier run has on disk need not come again."""

from __future__ import annotations

import pytest

from registry_fp import Client
from registry_fp.domain import errors as why
from registry_fp.domain.digest import Hasher, digest_of, new_hasher
from registry_fp.testing import DropAfter, Fault
from tests.download.conftest import Stored
from tests.download.taking import Taken, take


def _seen(content: bytes) -> Hasher:
    hasher = new_hasher()
    hasher.update(content)
    return hasher


@pytest.mark.parametrize("start", [1, 400_000, 999_999])
async def test_only_the_rest_is_asked_for(stored: Stored, client: Client, start: int) -> None:
    """And the whole is proven: the hasher knows the beginning."""
    taken = await take(client, stored.repository, stored.descriptor, start=start, seen=_seen(stored.content[:start]))
    assert taken == Taken(stored.content[start:], None)
    assert stored.ranges() == [f"bytes={start}-"]
    assert stored.registry.counts().blob_bytes_out == len(stored.content) - start


async def test_a_rest_that_is_cut_goes_on_too(stored: Stored, client: Client) -> None:
    """The offsets are those of the blob."""
    stored.registry.set_faults(Fault(DropAfter(100_000), endpoint="end-2", nth=(1,)))
    taken = await take(client, stored.repository, stored.descriptor, start=5, seen=_seen(stored.content[:5]))
    assert taken == Taken(stored.content[5:], None)
    assert stored.ranges() == ["bytes=5-", "bytes=100005-"]


async def test_where_all_is_there_nothing_is_asked(stored: Stored, client: Client) -> None:
    """An earlier run that ended before its last step: the proof is made here."""
    size = len(stored.content)
    taken = await take(client, stored.repository, stored.descriptor, start=size, seen=_seen(stored.content))
    assert taken == Taken(b"", None)
    assert stored.registry.counts().requests == 0


async def test_a_beginning_that_is_not_the_blobs_is_found(stored: Stored, client: Client) -> None:
    """A partial file of something else ends in a failure, and never in a blob."""
    taken = await take(client, stored.repository, stored.descriptor, start=400_000, seen=_seen(bytes(400_000)))
    assert taken.error is not None
    assert isinstance(taken.error.reason, why.DigestMismatch)


async def test_a_beginning_that_is_longer_than_the_blob_is_found(stored: Stored, client: Client) -> None:
    """Before a request is made."""
    long = stored.content + b"x"
    taken = await take(client, stored.repository, stored.descriptor, start=len(long), seen=_seen(long))
    assert taken.error is not None
    assert taken.error.reason == why.SizeMismatch(len(stored.content), len(long))
    assert stored.registry.counts().requests == 0


async def test_a_beginning_that_is_longer_than_the_answer_says_is_found(stored: Stored, client: Client) -> None:
    """A registry that has no rest for it sends the whole, and that is shorter."""
    long = stored.content + b"x"
    taken = await take(client, stored.repository, stored.descriptor.digest, start=len(long), seen=_seen(long))
    assert taken.error is not None
    assert taken.error.reason == why.SizeMismatch(len(stored.content), len(long))


async def test_a_digest_alone_is_enough_to_go_on(stored: Stored, client: Client) -> None:
    """Where nobody promised a size, the range tells it; at the very end there is no rest, and the whole proves it."""
    for start in (400_000, len(stored.content)):
        seen = _seen(stored.content[:start])
        taken = await take(client, stored.repository, digest_of(stored.content), start=start, seen=seen)
        assert taken == Taken(stored.content[start:], None)
