"""The content of a member by its name: links followed, duplicates compared, sizes bounded before anything is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.opened import OpenArchive, read_window
from registry_fp.archive.tar_header import brief
from registry_fp.archive.tar_index import Member
from registry_fp.domain.errors import ImageFault, InvalidImage, LimitExceeded, Reason

__all__ = ["find_file", "read_document"]

A = TypeVar("A")

_PIECE: Final = 1024 * 1024
_COPIES_LIMIT: Final = 16  # appending to a tar makes a second member of a name; a thousand make a bomb of time


async def find_file(archive: OpenArchive, name: str, missing: ImageFault) -> Result[Member, Reason]:
    """The regular file that `name` stands for; where it is there several times, every one has the same bytes.

    Fails with `InvalidImage`: `missing` if it is not there, "duplicate member" if readers could take different ones,
    and as `TarIndex.find`.
    """
    found = archive.index.find(name)
    if not is_successful(found):
        return Failure(found.failure())
    if not found.unwrap():
        return Failure(InvalidImage(missing, brief(name)))
    first, *others = found.unwrap()
    if len(others) >= _COPIES_LIMIT:
        return Failure(InvalidImage("duplicate member", brief(name), f"more than {_COPIES_LIMIT} times"))
    for other in others:
        same = await _same(archive, first, other)
        if not is_successful(same):
            return Failure(same.failure())
        if not same.unwrap():
            return Failure(InvalidImage("duplicate member", brief(name), "with different content"))
    return Success(first)


async def read_document(
    archive: OpenArchive,
    name: str,
    parse: Callable[[bytes], Result[A, Reason]],
    *,
    missing: ImageFault,
    limit: int,
) -> Result[A, Reason]:
    """What `parse` makes of a small JSON file, in a thread; one of more than `limit` bytes is not read.

    Fails as `find_file`, as `parse`, and with `LimitExceeded`.
    """
    found = await find_file(archive, name, missing)
    if not is_successful(found):
        return Failure(found.failure())
    member = found.unwrap()
    if member.size > limit:
        return Failure(LimitExceeded(f"bytes in {brief(name)}", limit))

    def step() -> Result[A, Reason]:
        return read_window(archive, member.offset, member.size).bind(parse)

    return await off_loop(archive.source.path, step)


async def _same(archive: OpenArchive, one: Member, other: Member) -> Result[bool, Reason]:
    if one.size != other.size:
        return Success(False)
    for start in range(0, one.size, _PIECE):
        length = min(_PIECE, one.size - start)

        def compare(start: int = start, length: int = length) -> Result[bool, Reason]:
            left = read_window(archive, one.offset + start, length)
            return left.bind(lambda a: read_window(archive, other.offset + start, length).map(lambda b: a == b))

        equal = await off_loop(archive.source.path, compare)
        if not is_successful(equal) or not equal.unwrap():
            return equal
    return Success(True)
