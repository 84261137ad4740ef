"""Who is found: in every file and program of the matrix, the same as by Docker and by podman's library."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from registry_fp.domain.errors import Misconfigured
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, RegistryToken
from registry_fp.transport.docker_keychain import docker_keychain
from tests.credentials.cases import CASES, HUB_CASES, SAME, Broken, Case, Told
from tests.credentials.place import Home
from tests.credentials.teller import Teller
from tests.real.debian import required
from tests.real.skopeo import skopeo_tool
from tests.real.tool import Tool


def _arrange(case: Case, home: Home, host: str) -> None:
    """The files and the program of a case, for a registry that is really there."""

    def about(value: Any) -> Any:
        return (
            value
            if isinstance(value, str) and "HOST" not in value
            else json.loads(json.dumps(value).replace("HOST", host))
        )

    for place, document in case.files.items():
        home.write(place, about(document))
    home.shelf({about(server): kept for server, kept in case.kept.items()})


def _told(found: Credentials | None) -> Told:
    match found:
        case None:
            return None
        case BasicCredentials(username=username, password=password):
            return ("basic", username, password.get_secret_value())
        case IdentityToken(token=token):
            return ("identity", token.get_secret_value())
        case RegistryToken(token=token):
            return ("bearer", token.get_secret_value())


async def _check(case: Case, home: Home, asked: str) -> None:
    out = await settle(docker_keychain(environment=home.variables)(asked))
    if isinstance(case.ours, Broken):
        assert isinstance(out, Err), out
        assert isinstance(out.error.reason, Misconfigured)
        assert out.error.reason.setting.startswith(case.ours.setting)
        assert "s3c" not in repr(out)
    else:
        assert isinstance(out, Ok), out
        assert _told(out.value) == case.ours
        assert "s3cret" not in repr(out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_keychain_finds_who_is_meant(case: Case, home: Home) -> None:
    """Whoever can push with another tool can push with this one, and nobody else is let in by a likeness of names."""
    _arrange(case, home, "127.0.0.1:5000")
    await _check(case, home, f"127.0.0.1:5000/{case.path}")


@pytest.mark.parametrize("case", HUB_CASES, ids=lambda case: case.name)
async def test_every_name_of_docker_hub_is_docker_hub(case: Case, home: Home) -> None:
    """It has had many, and all of them are in somebody's file."""
    _arrange(case, home, "docker.io")
    await _check(case, home, "docker.io/library/nginx")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_docker_agrees(case: Case, home: Home, teller: Teller) -> None:
    """What is called Docker's way here is what Docker does, seen from the registry."""
    docker = required("docker.io", "docker").program("docker")
    _arrange(case, home, teller.host)
    # No daemon: `manifest inspect` asks the registry itself.
    variables = {**home.variables, "DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_CONFIG": str(home.root / ".docker")}
    tool = Tool((str(docker),), variables)
    await tool("manifest", "inspect", "--insecure", f"{teller.host}/{case.path}:1", expect=None)
    assert teller.heard() == (case.told if case.docker == SAME else case.docker)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_podman_agrees(case: Case, home: Home, teller: Teller) -> None:
    """What is called podman's way here is what its library does, which skopeo has too."""
    tool = skopeo_tool(required("skopeo"), home.root)
    _arrange(case, home, teller.host)
    variables = {**tool.environment, **home.variables, "PATH": f"{home.variables['PATH']}:{tool.environment['PATH']}"}
    await Tool(tool.command, variables)(
        "inspect", "--raw", "--tls-verify=false", f"docker://{teller.host}/{case.path}:1", expect=None
    )
    assert teller.heard() == (case.told if case.podman == SAME else case.podman)


@pytest.mark.parametrize("case", HUB_CASES, ids=lambda case: case.name)
async def test_podman_agrees_about_docker_hub(case: Case, home: Home) -> None:
    """Its library says whose login it would use, without asking the registry."""
    tool = skopeo_tool(required("skopeo"), home.root)
    _arrange(case, home, "docker.io")
    variables = {**tool.environment, **home.variables, "PATH": f"{home.variables['PATH']}:{tool.environment['PATH']}"}
    key = "docker.io/library/nginx" if "one " in case.name else "docker.io"
    done = await Tool(tool.command, variables)("login", "--get-login", key, expect=None)
    told = case.told if case.podman == SAME else case.podman
    assert done.stdout.strip() == (told[1] if told else ""), done


async def test_what_stands_in_a_variable_comes_first(home: Home) -> None:
    """Pipelines hand their login over in DOCKER_AUTH_CONFIG; a broken one is named, and its text is not."""
    home.write(
        "docker",
        {"auths": {"ghcr.io": {"username": "file", "password": "x"}, "quay.io": {"username": "file", "password": "x"}}},
    )
    home.more["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {"ghcr.io": {"username": "variable", "password": "x"}}})
    keychain = docker_keychain(environment=home.variables)
    assert [
        _told(out.value) for host in ("ghcr.io", "quay.io") if isinstance(out := await settle(keychain(host)), Ok)
    ] == [
        ("basic", "variable", "x"),
        ("basic", "file", "x"),
    ]
    home.more["DOCKER_AUTH_CONFIG"] = '{"auths": s3cret'
    out = await settle(docker_keychain(environment=home.variables)("ghcr.io"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert (out.error.reason.setting, "s3cret" in repr(out)) == ("DOCKER_AUTH_CONFIG", False)


@pytest.mark.parametrize(
    ("key", "asked", "known"),
    [
        ("registry.example", "registry.example:80", True),
        ("http://registry.example", "registry.example:80", True),
        ("https://registry.example", "registry.example:80", False),
        ("ftp://registry.example", "registry.example", False),
        ("registry.example:443", "registry.example:80", False),
        ("registry.example:443", "registry.example", True),
        ("REGISTRY.example", "registry.example", True),
        ("[::1]:5000", "[0:0::1]:5000", True),
        ("[::1]:5000", "[::1]:5001", False),
    ],
)
async def test_the_origin_is_compared_and_not_the_text(key: str, asked: str, known: bool, home: Home) -> None:
    """What was given for TLS is not told without it, and one host can be spelled in many ways."""
    home.write("docker", {"auths": {key: {"username": "ada", "password": "s3cret"}}})
    out = await settle(docker_keychain(environment=home.variables)(f"{asked}/team/app"))
    assert out == Ok(BasicCredentials("ada", SecretStr("s3cret")) if known else None)
