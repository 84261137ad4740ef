"""The keychains for four clouds do what they say, with programs of their names and servers that answer as theirs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from registry_fp import Keychain, Settings, connect, docker_save, push, unwrap
from registry_fp.domain.errors import Misconfigured
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.testing import EmbeddedRegistry, sample_image, write_docker_save
from tests.examples.keychains.acr import acr_keychain
from tests.examples.keychains.ecr import ecr_keychain
from tests.examples.keychains.gar import PATH, gar_keychain
from tests.examples.keychains.ghcr import ghcr_keychain
from tests.tokens.server import REFRESH, TokenServer, serving, token_server

SECRET = "s3cr3t-w0rd"  # noqa: S105  the one that must not be seen
SETTINGS = Settings(cache=False)
NOWHERE = "127.0.0.1:1"  # where nothing listens


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a program of this name, a shell script, before all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("GCE_METADATA_HOST", NOWHERE)
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ACTOR"):
        monkeypatch.delenv(name, raising=False)

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return write


async def pushed(keychain: Keychain, host: str, folder: Path) -> None:
    """A push that this keychain lets in."""
    archive = write_docker_save(folder / "app.tar", sample_image("app:1", mebibytes=1)).path
    async with connect(SETTINGS, keychain=keychain) as client:
        await unwrap(push(client, docker_save(archive), f"{host}/team/app:1"))


async def test_ecr_takes_the_password_that_aws_gives(programs: Callable[[str, str], None], tmp_path: Path) -> None:
    """For the region of the host; the user is always AWS."""
    programs("aws", f'[ "$*" = "ecr get-login-password --region eu-west-1" ] && echo {SECRET}')
    async with EmbeddedRegistry(basic_auth=("AWS", SECRET)) as registry:
        await pushed(ecr_keychain(registry.host, region="eu-west-1"), registry.host, tmp_path)
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    assert isinstance(await settle(ecr_keychain(host)(f"{host}/team/app")), Ok)


async def test_a_password_that_ended_is_asked_for_again(programs: Callable[[str, str], None], tmp_path: Path) -> None:
    """A service lives longer than twelve hours."""
    turn = tmp_path / "turn"
    programs("aws", f"if [ -e {turn} ]; then echo {SECRET}; else touch {turn}; echo ended; fi")
    async with EmbeddedRegistry(basic_auth=("AWS", SECRET)) as registry:
        await pushed(ecr_keychain(registry.host, region="x"), registry.host, tmp_path)


async def test_gar_takes_the_token_of_the_machine(
    programs: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metadata server answers only who says that it is meant; `gcloud` is not asked."""
    programs("gcloud", "echo wrong")

    async def metadata(asked: web.BaseRequest) -> web.StreamResponse:
        assert (asked.path, asked.headers["Metadata-Flavor"]) == (f"/{PATH}", "Google")
        return web.json_response({"access_token": SECRET, "expires_in": 3599, "token_type": "Bearer"})

    async with serving(metadata) as host, EmbeddedRegistry(basic_auth=("oauth2accesstoken", SECRET)) as registry:
        monkeypatch.setenv("GCE_METADATA_HOST", host)
        await pushed(gar_keychain(registry.host), registry.host, tmp_path)


async def test_gar_takes_the_token_of_gcloud_elsewhere(programs: Callable[[str, str], None], tmp_path: Path) -> None:
    """On a machine that is not Google's."""
    programs("gcloud", f'[ "$*" = "auth print-access-token" ] && echo {SECRET}')
    async with EmbeddedRegistry(basic_auth=("oauth2accesstoken", SECRET)) as registry:
        await pushed(gar_keychain(registry.host), registry.host, tmp_path)


async def test_acr_takes_a_refresh_token_for_the_one_that_az_gives(
    programs: Callable[[str, str], None], tmp_path: Path
) -> None:
    """Az's token goes to the registry's exchange, and the refresh token from there to the registry's token server."""
    programs("az", f'[ "$1 $2 $3" = "account get-access-token --scope" ] && echo {SECRET}')

    async def exchange(asked: web.BaseRequest) -> web.StreamResponse:
        form = await asked.post()
        assert (form["grant_type"], form["access_token"]) == ("access_token", SECRET)
        return web.json_response({"refresh_token": REFRESH})

    async with (
        token_server(TokenServer()) as tokens,
        EmbeddedRegistry(gate=tokens.gate) as registry,
        serving(exchange) as host,
    ):
        await pushed(acr_keychain(registry.host, exchange=f"http://{host}/oauth2/exchange"), registry.host, tmp_path)
    assert {each.form.get("grant_type") for each in tokens.asked} == {"refresh_token"}


@pytest.mark.usefixtures("programs")
async def test_ghcr_takes_the_token_of_the_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a job has all that is needed, and without it nobody is known."""
    assert await settle(ghcr_keychain()("ghcr.io/team/app")) == Ok(None)
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    async with EmbeddedRegistry(basic_auth=("ada", SECRET)) as registry:
        await pushed(ghcr_keychain(registry.host), registry.host, tmp_path)


KEYCHAINS: dict[str, tuple[Keychain, str]] = {
    "ecr": (ecr_keychain("r.example", region="x"), "aws"),
    "gar": (gar_keychain("r.example"), "gcloud"),
    "acr": (acr_keychain("r.example", exchange=f"http://{NOWHERE}"), "az"),
}


@pytest.mark.parametrize("cloud", KEYCHAINS)
@pytest.mark.parametrize("script", [None, "echo no >&2; exit 3", "exit 0"], ids=["missing", "failing", "silent"])
async def test_a_cloud_whose_program_has_nothing_is_named(
    cloud: str, script: str | None, programs: Callable[[str, str], None]
) -> None:
    """A failure says what to install or where to log in, instead of a push as nobody."""
    keychain, program = KEYCHAINS[cloud]
    if script is not None:
        programs(program, script)
    out = await settle(keychain("r.example/team/app"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert program in f"{out.error.reason.setting} {out.error.reason.why}"


@pytest.mark.parametrize("cloud", KEYCHAINS)
async def test_another_host_is_not_theirs_and_no_program_is_asked(
    cloud: str, programs: Callable[[str, str], None], tmp_path: Path
) -> None:
    """A password for one cloud is nothing for another registry."""
    keychain, program = KEYCHAINS[cloud]
    programs(program, f"touch {tmp_path}/asked; echo {SECRET}")
    for place in ("docker.io", "r.example.org/team/app", "r.example:5000"):
        assert await settle(keychain(place)) == Ok(None)
    assert not (tmp_path / "asked").exists()


async def test_an_exchange_that_does_not_answer_is_named_and_tells_no_secret(
    programs: Callable[[str, str], None],
) -> None:
    """Az's token is nobody's business."""
    programs("az", f"echo {SECRET}")
    out = await settle(KEYCHAINS["acr"][0]("r.example/team/app"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert out.error.reason.setting == "refresh token"
    assert SECRET not in repr(out)


def test_each_is_short_enough_to_be_copied() -> None:
    """One file, no more than one reads before using it."""
    for path in Path(__file__).parent.glob("[a-z]*r.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 65, path
