"""Every single fault, at every request of a push: exhaustive, because the next one is always the one not tried."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest

from registry_fp import Client, PushOptions, connect, docker_save, push
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.testing import (
    Answer,
    Corrupt,
    Drop,
    DropAfter,
    EmbeddedRegistry,
    Fault,
    NotStored,
    Stall,
    WrongDigestHeader,
)
from registry_fp.testing.faults import Action
from tests.faults.image import Archive, settings, write_mixed
from tests.faults.outcome import TAG, Outcome, check, lost_sessions
from tests.transport.clocks import InstantClock

Start = Literal["cold", "warm", "neighbour"]

REQUESTS: Final[dict[Start, int]] = {"cold": 18, "warm": 7, "neighbour": 15}
"""How many requests a push makes without a fault: into an empty repository, once more, and into one next to it."""

COLD = REQUESTS["cold"]

HEALED: dict[str, Action] = {
    "500 with a page": Answer(500, {"Content-Type": "text/html"}, b"<html>500</html>"),
    "503": Answer(503),
    "503 with a pause": Answer(503, {"Retry-After": "7"}),
    "429": Answer(429),
    "429 with a pause": Answer(429, {"Retry-After": "7"}),
    "reset": Drop(),
    "end": Drop(reset=False),
    "reset after it was done": Drop(late=True),
    "end after it was done": Drop(late=True, reset=False),
    "cut at once": DropAfter(1),
    "cut in the body": DropAfter(50_000),
    "stall": Stall(),
    "stall in the body": Stall(50_000),
    "corrupt": Corrupt(3),
}
"""Faults after which a push succeeds, wherever they strike."""

_ASKED = {"end-2", "end-11"}  # only a question: whatever the answer, the blob is sent
_SESSION = {"end-5", "end-6"}  # a session that is lost is begun again
_OPEN, _MANIFEST, _CONFIRM = "end-4a", "end-7a", "end-3"

TOLD: dict[str, tuple[Action, set[str], dict[str, tuple[type, ...]]]] = {
    "401": (Answer(401), _ASKED, dict.fromkeys((_OPEN, *_SESSION, _MANIFEST, _CONFIRM), (why.Unauthenticated,))),
    "403": (
        Answer(403),
        {*_ASKED, _CONFIRM},  # a HEAD that is refused is asked as GET
        dict.fromkeys((_OPEN, *_SESSION, _MANIFEST, _CONFIRM), (why.Denied,)),
    ),
    "404": (
        Answer(404),
        {*_ASKED, *_SESSION, _CONFIRM},
        {**dict.fromkeys((_OPEN, _MANIFEST), (why.NotFound,)), _CONFIRM: (why.NotConfirmed,)},
    ),
    "413": (  # a large body is sent in parts
        Answer(413),
        _ASKED | _SESSION,
        dict.fromkeys((_OPEN, "end-6", _MANIFEST, _CONFIRM), (why.Refused,)),
    ),
    "416": (Answer(416), _ASKED | _SESSION, dict.fromkeys((_OPEN, _MANIFEST, _CONFIRM), (why.Refused,))),
    "429 with an hour": (
        Answer(429, {"Retry-After": "3600"}),
        _ASKED,
        dict.fromkeys((_OPEN, *_SESSION, _MANIFEST, _CONFIRM), (why.RateLimited,)),
    ),
    "a redirect": (
        Answer(307, {"Location": "/v2/"}),
        _ASKED,
        {**dict.fromkeys((_OPEN, *_SESSION, _MANIFEST), (why.PolicyRefused,)), _CONFIRM: (why.NotConfirmed, Ok)},
    ),
    "a captive portal": (
        Answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        _ASKED,
        {
            **dict.fromkeys((_OPEN, *_SESSION, _MANIFEST), (why.ProtocolViolation,)),
            _CONFIRM: (why.ProtocolViolation, why.MalformedDocument, why.NotConfirmed, Ok),
        },
    ),
    "a 201 for everything": (
        Answer(201),
        _ASKED,
        {
            _OPEN: (why.ProtocolViolation,),
            "end-5": (why.Refused, why.ProtocolViolation),  # before or after all of the body was on its way
            "end-6": (Ok,),  # that a blob is missing comes out at the manifest, and then it is sent again
            _MANIFEST: (why.NotConfirmed,),
            _CONFIRM: (why.ProtocolViolation,),
        },
    ),
    "another digest": (
        WrongDigestHeader(),
        {*_ASKED, *_SESSION, _OPEN, _MANIFEST},
        {_CONFIRM: (why.DigestMismatch, why.NotConfirmed)},
    ),
    "nothing is stored": (NotStored(), {*_ASKED, *_SESSION, _OPEN, _CONFIRM}, {_MANIFEST: (why.NotConfirmed,)}),
}
"""Faults that are an answer: where the push succeeds all the same, and which reason it ends in elsewhere."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The image; read only."""
    return write_mixed(tmp_path_factory.mktemp("one-fault") / "app.tar")


async def started(client: Client, archive: Archive, registry: EmbeddedRegistry, start: Start) -> str:
    """What happened before the push that counts, and the repository that it goes to."""
    if start != "cold":
        assert isinstance(await pushed(client, archive, registry), Ok)
        registry.reset_counts()
    return "next/door" if start == "neighbour" else "app"


async def pushed(client: Client, archive: Archive, registry: EmbeddedRegistry, path: str = "app") -> Outcome:
    """One push."""
    options = PushOptions(concurrency=1)
    return await settle(push(client, docker_save(archive.path), f"{registry.host}/{path}:{TAG}", options=options))


async def struck(archive: Archive, action: Action, nth: int, start: Start) -> tuple[Outcome, str]:
    """A push whose nth request meets the fault, and which endpoint that was; what always holds is checked."""
    time = InstantClock()
    waiting = {"answer_timeout": 0.12, "idle_timeout": 0.12} if isinstance(action, Stall) else {}
    async with EmbeddedRegistry() as registry, connect(settings(**waiting), clock=time.clock) as client:
        path = await started(client, archive, registry, start)
        registry.set_faults(Fault(action, nth=(nth,)))
        out = await pushed(client, archive, registry, path)
        seen = registry.requests
        assert len(seen) <= 3 * COLD
        assert time.passed <= 45.0
        await check(registry, path, archive.saved, out, orphans=lost_sessions(seen))
        return out, seen[nth - 1].endpoint


@pytest.mark.parametrize("start", REQUESTS)
async def test_a_push_without_a_fault_asks_as_often_as_it_must(archive: Archive, start: Start) -> None:
    """The enumeration below is exhaustive only if this number is right."""
    async with EmbeddedRegistry() as registry, connect(settings()) as client:
        path = await started(client, archive, registry, start)
        out = await pushed(client, archive, registry, path)
        assert isinstance(out, Ok)
        assert registry.counts().requests == REQUESTS[start]
        await check(registry, path, archive.saved, out)


@pytest.mark.parametrize("start", REQUESTS)
@pytest.mark.parametrize("fault", HEALED)
async def test_a_passing_fault_costs_a_push_nothing_but_time(archive: Archive, fault: str, start: Start) -> None:
    """Wherever it strikes, the image arrives, complete and byte for byte."""
    for nth in range(1, REQUESTS[start] + 1):
        out, endpoint = await struck(archive, HEALED[fault], nth, start)
        assert isinstance(out, Ok), (fault, nth, endpoint, out)


@pytest.mark.parametrize("start", REQUESTS)
@pytest.mark.parametrize("fault", TOLD)
async def test_a_fault_that_does_not_pass_is_told_as_what_it_is(archive: Archive, fault: str, start: Start) -> None:
    """Or it does not matter, where the question was only whether work could be saved; and never a false success."""
    action, healed, reasons = TOLD[fault]
    for nth in range(1, REQUESTS[start] + 1):
        out, endpoint = await struck(archive, action, nth, start)
        expected = reasons.get(endpoint, (Ok,)) + ((Ok,) if endpoint in healed else ())
        if start == "warm" and endpoint == _MANIFEST:  # the same manifest is there already
            expected += (Ok,)
        found = out if isinstance(out, Ok) else out.error.reason
        assert isinstance(found, expected), (fault, nth, endpoint, out)


HARMLESS = {("503", "end-2"), ("429 with a pause", "end-2"), ("end after it was done", "end-6")}
"""Where a fault that stays changes nothing: a question that need not be answered, a blob that is found by asking."""


@pytest.mark.parametrize("endpoint", ["end-2", "end-3", "end-4a", "end-5", "end-6", "end-7a"])
@pytest.mark.parametrize("fault", ["503", "429 with a pause", "reset", "end after it was done", "404"])
async def test_a_fault_that_stays_ends_the_push_in_bounds(tmp_path: Path, fault: str, endpoint: str) -> None:
    """A registry that is down must not be asked for ever, nor waited for."""
    archive = write_mixed(tmp_path / "app.tar")
    action = HEALED.get(fault) or TOLD[fault][0]
    time = InstantClock()
    async with EmbeddedRegistry() as registry, connect(settings(), clock=time.clock) as client:
        registry.set_faults(Fault(action, endpoint=endpoint))
        out = await pushed(client, archive, registry)
        seen = registry.requests
        assert len(seen) <= 60, [(each.method, each.endpoint, each.status) for each in seen]
        assert time.passed <= 240.0
        if isinstance(out, Err):
            assert out.error.attempts <= 10
        assert isinstance(out, Ok) == ((fault, endpoint) in HARMLESS)
        await check(registry, "app", archive.saved, out, orphans=lost_sessions(seen))
