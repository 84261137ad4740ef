"""Copying a repository: what has a tag goes where it is to go, and keeps its tag."""

import pytest

from registry_fp import (
    BadReference,
    Client,
    Denied,
    Err,
    Misconfigured,
    NotFound,
    Ok,
    SeveralFailed,
    copy_tags,
    list_tags,
    settle,
    unwrap,
)
from registry_fp.testing import Answer, Fault
from tests.copy import made
from tests.place import Place, fresh

IMAGES = {"1.0": made.image(made.layer("one")), "2.0": made.five_platforms(), "latest": made.five_platforms()}


async def test_every_tag_is_there_afterwards_and_what_only_the_target_had_stays(
    client: Client, here: Place, there: Place
) -> None:
    """A tag that meant something else is moved: the two repositories then say the same by the same name."""
    for tag, image in IMAGES.items():
        made.put(here.host, here.path, image, tag)
    own = made.image(made.layer("own"))
    made.put(there.host, there.path, own, "1.0")
    made.put(there.host, there.path, own, "own")
    copied = await unwrap(copy_tags(client, here.repository, there.repository))
    assert sorted(str(each.target) for each in copied) == [f"{there.repository}:{tag}" for tag in sorted(IMAGES)]
    for tag, image in {**IMAGES, "own": own}.items():
        made.check(there.host, there.path, image, tag)


async def test_a_repository_without_tags_has_nothing_to_copy(client: Client, here: Place) -> None:
    """Debian's docker-registry does not even know such a repository."""
    made.put(here.host, here.path, made.image(made.layer("one")), None)
    out = await settle(copy_tags(client, here.repository, f"{here.host}/{fresh()}"))
    if here.embedded is None:
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, NotFound)
    else:
        assert out == Ok(())


async def test_a_second_time_no_blob_is_moved(client: Client, here: Place, there: Place) -> None:
    """It is what keeps two registries alike, every hour."""
    for tag, image in IMAGES.items():
        made.put(here.host, here.path, image, tag)
    await unwrap(copy_tags(client, here.repository, there.repository))
    again = await unwrap(copy_tags(client, here.repository, there.repository, limit=1))
    assert (len(again), sum(each.moved for each in again)) == (len(IMAGES), 0)


async def test_every_tag_is_tried_and_every_failure_named(client: Client, here: Place, there: Place) -> None:
    """One that is broken must not keep the others from arriving."""
    for tag in ("a", "b", "c", "d"):
        made.put(here.host, here.path, made.image(made.layer(tag)), tag)
    assert there.embedded is not None
    there.embedded.set_faults(Fault(Answer(403), "PUT", "end-7", path="/manifests/[bd]$"))
    out = await settle(copy_tags(client, here.repository, there.repository))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, SeveralFailed)
    assert (out.error.doing, out.error.target, out.error.reason.total) == ("copy_tags", there.repository, 4)
    failed = [(each.target, type(each.reason)) for each in out.error.reason.errors]
    assert failed == [(f"{there.repository}:{tag}", Denied) for tag in "bd"]
    assert await unwrap(list_tags(client, there.repository)) == ("a", "c")


@pytest.mark.parametrize("source", ["localhost:1/app:1.0", "localhost:1/APP", ""])
async def test_a_name_that_is_no_repository_is_refused_before_any_request(client: Client, source: str) -> None:
    """A tag at the end would mean one image, and that is another verb."""
    for names in ((source, "localhost:1/app"), ("localhost:1/app", source)):
        out = await settle(copy_tags(client, *names))
        assert isinstance(out, Err)
        assert (out.error.doing, type(out.error.reason)) == ("copy_tags", BadReference)


async def test_a_repository_is_not_copied_to_itself(client: Client, here: Place) -> None:
    """Every tag would be stored again, and one that moves meanwhile would be moved back."""
    out = await settle(copy_tags(client, here.repository, here.repository))
    assert isinstance(out, Err)
    assert (out.error.doing, type(out.error.reason)) == ("copy_tags", Misconfigured)
