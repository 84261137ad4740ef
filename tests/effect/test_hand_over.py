"""Handing over: everything in order, little ahead, and nothing left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from registry_fp.effect.hand_over import Hand, handed_over


@given(
    parts=st.lists(st.binary(min_size=1, max_size=20), max_size=30),
    ahead=st.integers(1, 60),
    pauses=st.lists(st.integers(0, 3), max_size=30),
    fails=st.booleans(),
)
def test_what_is_given_is_taken_in_order(parts: list[bytes], ahead: int, pauses: list[int], *, fails: bool) -> None:
    """Whoever is the slower one; and never more is waiting than was agreed, and one part."""
    end: Result[None, str] = Failure("broken") if fails else Success(None)

    async def main() -> None:
        unused = 0

        async def make(hand: Hand) -> Result[None, str]:
            nonlocal unused
            for number, part in enumerate(parts):
                for _ in range(pauses[number] if number < len(pauses) else 0):
                    await asyncio.sleep(0)
                unused += len(part)
                assert unused < ahead + len(part) + 1
                await hand.give(part)
            return end

        taken: list[Result[bytes, str]] = []
        async with aclosing(handed_over(make, ahead=ahead)) as items:
            async for item in items:
                taken.append(item)
                unused -= len(item.value_or(b""))
                await asyncio.sleep(0)
        if fails:
            assert taken.pop() == Failure("broken")
        assert b"".join(item.unwrap() for item in taken) == b"".join(parts)

    asyncio.run(main())


async def test_a_slow_user_gets_larger_pieces() -> None:
    """What was made while the user was busy comes at once."""

    async def make(hand: Hand) -> Result[None, str]:
        for _ in range(10):
            await hand.give(b"x")
        return Success(None)

    sizes = []
    async with aclosing(handed_over(make, ahead=4)) as items:
        async for item in items:
            sizes.append(len(item.unwrap()))
            for _ in range(20):
                await asyncio.sleep(0)
    assert sizes == [4, 4, 2]


async def test_who_makes_can_wait_until_everything_is_in_use() -> None:
    """Then the user has asked for more."""
    seen: list[str] = []

    async def make(hand: Hand) -> Result[None, str]:
        await hand.give(b"first")
        await hand.emptied()
        seen.append("emptied")
        return Success(None)

    async with aclosing(handed_over(make, ahead=100)) as items:
        seen.append((await anext(items)).unwrap().decode())
        assert await anext(items, None) is None
    assert seen == ["first", "emptied"]


async def test_closing_ends_who_makes() -> None:
    """Also where it waits for room, and lets it clean up."""
    ended = []

    async def make(hand: Hand) -> Result[None, str]:
        try:
            while True:
                await hand.give(b"x")
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    async with aclosing(handed_over(make, ahead=1)) as items:
        assert await anext(items) == Success(b"x")
    assert ended == [True]


@pytest.mark.parametrize("given_first", [True, False])
async def test_a_bug_leaves_as_it_is(*, given_first: bool) -> None:
    """It is no failure of the stream; what was made before it is still used."""

    async def make(hand: Hand) -> Result[None, str]:
        if given_first:
            await hand.give(b"x")
        raise ZeroDivisionError

    taken: list[Result[bytes, str]] = []
    with pytest.raises(ZeroDivisionError):
        await _taken(make, taken)
    assert taken == [Success(b"x")] * given_first


async def test_who_makes_being_cancelled_is_a_cancellation() -> None:
    """By somebody else: the user must not take it for the end."""

    async def make(hand: Hand) -> Result[None, str]:
        await hand.give(b"x")
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await _taken(make, [])


async def _taken(
    make: Callable[[Hand], Coroutine[Any, Any, Result[None, str]]], taken: list[Result[bytes, str]]
) -> None:
    async with aclosing(handed_over(make, ahead=10)) as items:
        async for item in items:
            taken.append(item)  # noqa: PERF401  what came before a bug counts
