"""Requests that make no sense, and registries that are not there."""

import socket
from pathlib import Path

import pytest

from registry_fp import (
    BadReference,
    Client,
    ConnectFailed,
    DnsFailed,
    Err,
    Misconfigured,
    PushOptions,
    Reason,
    Settings,
    TimedOut,
    connect,
    docker_save,
    exit_code,
    explain,
    push,
    push_all,
    settle,
)
from registry_fp.testing import EmbeddedRegistry
from tests.input.corpus import GOOD


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A good archive: the mistake is elsewhere."""
    path = tmp_path / "app.tar"
    path.write_bytes(bytes(GOOD))
    return path


@pytest.mark.parametrize(
    "target",
    [
        "",
        ":",
        "{host}/",
        "{host}/App:1.0",
        "{host}/app:",
        "{host}/app:not a tag",
        "{host}/app:1.0:2.0",
        "{host}/app/../../secret:1",
        "{host}/app?x=1:1.0",
        "{host}/app%2f..%2fother:1.0",
        "{host}/ap\np:1.0",
        "{host}/\x1b[2Japp:1.0",
        "{host}/app@sha256:short",
        "http://{host}/app:1.0",
        "user:secret@{host}/app:1.0",
        "{host}/" + "a" * 300 + ":1.0",
        "{host}/app:" + "t" * 129,
        "127.0.0.1:99999/app:1.0",
    ],
)
async def test_a_name_that_breaks_the_grammar_is_refused_before_any_request(
    target: str, archive: Path, registry: EmbeddedRegistry, client: Client
) -> None:
    """A name ends up in a URL: what is no name must never get there, and not on a terminal as it is."""
    out = await settle(push(client, docker_save(archive), target.format(host=registry.host)))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, BadReference)
    line, hint = explain(out.error).split("\n")
    assert (exit_code(out.error), line.isprintable(), "secret@" in line) == (2, True, False)
    assert "ghcr.io/team/app:1.4" in hint
    assert registry.requests == ()


async def test_a_digest_that_a_push_cannot_promise_is_refused_before_any_request(
    archive: Path, registry: EmbeddedRegistry, client: Client
) -> None:
    """The name is well formed, so no grammar is taught."""
    out = await settle(push(client, docker_save(archive), f"{registry.host}/app:1.0@sha256:{'0' * 64}"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, BadReference)
    assert "ghcr.io/team/app:1.4" not in explain(out.error)
    assert registry.requests == ()


@pytest.mark.parametrize("target", ["", "word", "http://{host}", "{host}/App", "{host}/app:1.0", "{host}/", "a b:1"])
async def test_a_destination_that_is_none_is_refused_before_any_request(
    target: str, archive: Path, registry: EmbeddedRegistry, client: Client
) -> None:
    """`push_all` takes a host, or a repository of it."""
    out = await settle(push_all(client, docker_save(archive), target.format(host=registry.host)))
    assert isinstance(out, Err), out
    assert isinstance(out.error.reason, BadReference)
    assert (exit_code(out.error), registry.requests) == (2, ())


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        (PushOptions(level=0), "level"),
        (PushOptions(level=10), "level"),
        (PushOptions(compression="zstd", level=23), "level"),
        (PushOptions(compression="none", level=1), "level"),
        (PushOptions(concurrency=0), "concurrency"),
        (PushOptions(concurrency=-1), "concurrency"),
    ],
)
async def test_an_option_out_of_its_range_is_refused_before_any_request(
    options: PushOptions, setting: str, archive: Path, registry: EmbeddedRegistry, client: Client
) -> None:
    """The error names the option, so that it can be mended."""
    for verb, target in ((push, f"{registry.host}/app:1.0"), (push_all, registry.host)):
        out = await settle(verb(client, docker_save(archive), target, options=options))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, Misconfigured)
        assert (out.error.reason.setting, exit_code(out.error)) == (setting, 78)
        assert registry.requests == ()


@pytest.mark.parametrize(
    ("what", "reason", "code"),
    [("no such host", DnsFailed, 69), ("nobody listens", ConnectFailed, 69), ("nobody answers", TimedOut, 75)],
)
async def test_a_registry_that_is_not_there_is_named(what: str, reason: type[Reason], code: int, archive: Path) -> None:
    """A wrong port, a wrong name and a machine that hangs are three things to mend."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if what == "nobody answers":
            server.listen()
        port = server.getsockname()[1]
        host = f"registry.invalid:{port}" if what == "no such host" else f"127.0.0.1:{port}"
        async with connect(Settings(retries=0, answer_timeout=0.2)) as client:
            out = await settle(push(client, docker_save(archive), f"{host}/app:1.0"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, reason)
    assert exit_code(out.error) == code
    assert host in explain(out.error)
