"""Pairs of faults, sampled: what one mends, the other must not break again."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry_fp import PushOptions, connect, docker_save, push
from registry_fp.effect.exits import Ok, settle
from registry_fp.testing import EmbeddedRegistry, Fault, Stall
from registry_fp.testing.faults import Action
from tests.faults import image
from tests.faults.image import Archive
from tests.faults.outcome import TAG, check, lost_sessions
from tests.faults.test_one_fault import COLD, HEALED, TOLD
from tests.transport.clocks import InstantClock

ACTIONS: dict[str, Action] = {
    name: action
    for name, action in {**HEALED, **{name: row[0] for name, row in TOLD.items()}}.items()
    if not isinstance(action, Stall)  # which takes its time, and is cut like any other lost connection
}

strikes = st.tuples(st.sampled_from(sorted(ACTIONS)), st.integers(1, COLD + 6))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The image; read only."""
    return image.write_mixed(tmp_path_factory.mktemp("two-faults") / "app.tar")


@settings(max_examples=150, derandomize=True)
@given(pair=st.tuples(strikes, strikes), concurrency=st.sampled_from([1, 4]))
@example(pair=(("503", 3), ("reset after it was done", 4)), concurrency=1)
@example(pair=(("nothing is stored", 9), ("nothing is stored", 15)), concurrency=1)
@example(pair=(("404", 9), ("401", 10)), concurrency=1)
def test_no_two_faults_make_a_false_success_or_leave_a_session(
    archive: Archive, pair: tuple[tuple[str, int], tuple[str, int]], concurrency: int
) -> None:
    """The whole image or a reason, in bounds of requests and time, and nothing left behind; with four workers too."""

    async def main() -> None:
        time = InstantClock()
        async with EmbeddedRegistry() as registry, connect(image.settings(), clock=time.clock) as client:
            registry.set_faults(*(Fault(ACTIONS[name], nth=(nth,)) for name, nth in pair))
            target = f"{registry.host}/app:{TAG}"
            options = PushOptions(concurrency=concurrency)
            out = await settle(push(client, docker_save(archive.path), target, options=options))
            seen = registry.requests
            assert len(seen) <= 5 * COLD
            assert time.passed <= 250.0
            await check(registry, "app", archive.saved, out, orphans=lost_sessions(seen))
            if all(name in HEALED for name, _ in pair):
                assert isinstance(out, Ok), out

    asyncio.run(main())
