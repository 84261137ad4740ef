"""Secrets and mirrors: each is told to whom it belongs, and to nobody else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from registry_fp import first_of, oci_layout, pull, push_artifact, static_credentials, unwrap
from registry_fp.testing import Answer, Fault, running_registry
from registry_fp.transport.host_settings import HostSettings
from tests.mirrors.conftest import PATH, opened
from tests.mirrors.recorder import Recorder, recording
from tests.transport.clocks import InstantClock


def basic(user: str, password: str) -> str:
    """What a request says."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def told(recorder: Recorder) -> set[str]:
    """Whatever was said of who sends a request."""
    return {said.authorization for said in recorder.requests if said.authorization is not None}


@pytest.mark.parametrize("knows", ["both", "the registry alone", "the mirror alone"])
@pytest.mark.parametrize("has", [True, False])
async def test_a_secret_goes_to_whom_it_belongs(knows: str, has: bool, tmp_path: Path, clock: InstantClock) -> None:
    """A mirror is somebody else, who is not to know the registry's password; nor the registry the mirror's."""
    (tmp_path / "file").write_bytes(b"content")
    ours, theirs = ("one", "first secret"), ("two", "second secret")
    with running_registry(basic_auth=ours) as registry, running_registry(basic_auth=theirs) as cache:
        async with recording(registry.host) as origin, recording(cache.host) as mirror:
            every = {
                "the registry alone": static_credentials(origin.host, *ours),
                "the mirror alone": static_credentials(mirror.host, *theirs),
            }
            writer = first_of(*every.values())
            async with opened(clock, {}, keychain=writer) as client:
                for host in (origin.host, mirror.host):
                    await unwrap(push_artifact(client, [tmp_path / "file"], f"{host}/{PATH}:1"))
            origin.up.clear()
            mirror.up.clear()
            if not has:
                cache.set_faults(Fault(Answer(404)))
            if knows == "the mirror alone":
                registry.set_faults(Fault(Answer(404)))
            chosen = {origin.host: HostSettings(mirrors=(mirror.host,))}
            reader = writer if knows == "both" else every[knows]
            async with opened(clock, chosen, keychain=reader) as client:
                if has or knows != "the mirror alone":
                    await unwrap(pull(client, f"{origin.host}/{PATH}:1", oci_layout(tmp_path / "app")))
                else:
                    await pull(client, f"{origin.host}/{PATH}:1", oci_layout(tmp_path / "app")).awaitable()
            assert told(origin) <= {basic(*ours)}
            assert told(mirror) <= {basic(*theirs)}
            if knows == "the registry alone":
                assert told(origin) == {basic(*ours)}
                assert told(mirror) == set()
            elif has:
                assert told(mirror) == {basic(*theirs)}
                assert told(origin) == set()
