"""Single flight: one does the work, and the others get what came of it."""

from __future__ import annotations

import asyncio

import pytest

from registry_fp.effect.single_flight import SingleFlight
from tests.effect.laws import others


async def test_the_first_leads_and_the_others_wait_for_what_it_lands() -> None:
    """Ten pushes of one base layer are one upload."""
    flights: SingleFlight[str] = SingleFlight()
    assert flights.take_off("layer") is None
    waiters = [flights.take_off("layer") for _ in range(3)]
    flights.land("layer", "descriptor")
    assert [await waiter for waiter in waiters if waiter is not None] == ["descriptor"] * 3


async def test_after_a_failed_flight_the_waiters_hear_nothing_and_one_of_them_leads() -> None:
    """A leader's bad luck must not become everybody's failure."""
    flights: SingleFlight[str] = SingleFlight()
    flights.take_off("layer")
    waiters = [flights.take_off("layer") for _ in range(2)]
    flights.land("layer", None)
    assert [await waiter for waiter in waiters if waiter is not None] == [None, None]
    assert flights.take_off("layer") is None
    assert flights.take_off("layer") is not None
    flights.land("layer", None)


async def test_a_waiter_that_is_cancelled_takes_nobody_with_it() -> None:
    """One client gives up; the upload and the other clients go on."""
    flights: SingleFlight[str] = SingleFlight()
    flights.take_off("layer")
    first, second = flights.take_off("layer"), flights.take_off("layer")
    assert first is not None
    assert second is not None

    async def wait(landing: asyncio.Future[str | None]) -> str | None:
        return await landing

    jobs = [asyncio.create_task(wait(first)), asyncio.create_task(wait(second))]
    await asyncio.sleep(0)
    jobs[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await jobs[0]
    flights.land("layer", "descriptor")
    assert await jobs[1] == "descriptor"
    assert others() == set()


async def test_different_keys_do_not_wait_for_each_other() -> None:
    """Another repository is another flight."""
    flights: SingleFlight[str] = SingleFlight()
    assert [flights.take_off("one"), flights.take_off("two")] == [None, None]
    waiter = flights.take_off("two")
    flights.land("one", "a")
    assert waiter is not None
    assert not waiter.done()
    flights.land("two", "b")
    assert await waiter == "b"


async def test_a_second_landing_does_nothing() -> None:
    """A leader lands where it succeeds, and once more in its clean-up."""
    flights: SingleFlight[str] = SingleFlight()
    flights.take_off("layer")
    waiter = flights.take_off("layer")
    flights.land("layer", "descriptor")
    flights.land("layer", None)
    flights.land("unknown", None)
    assert waiter is not None
    assert await waiter == "descriptor"


async def test_a_landed_flight_is_forgotten() -> None:
    """A client lives for months: it must not keep a future for every blob it ever sent."""
    flights: SingleFlight[int] = SingleFlight()
    for number in range(100):
        assert flights.take_off(number) is None
        flights.land(number, number)
    assert flights._flying == {}
