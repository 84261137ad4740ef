"""Login and logout: proven first, written where Docker and podman write, and nothing else is changed there."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from registry_fp import Client, ping
from registry_fp.domain.errors import BadReference, LocalIo, Misconfigured, Unauthenticated
from registry_fp.effect.exits import Err, Ok, settle, unwrap
from registry_fp.pipelines.login import LoggedIn, LoggedOut, login, logout
from registry_fp.testing import EmbeddedRegistry
from registry_fp.transport.account import BasicCredentials
from registry_fp.transport.account_keeping import keep_account
from registry_fp.transport.docker_keychain import docker_keychain
from tests.credentials.place import Home
from tests.real.debian import required
from tests.real.docker_registry import CREDENTIALS, RealRegistry
from tests.real.skopeo import skopeo_tool
from tests.real.tool import Tool

ADA = ("ada", "s3cr3t-w0rd")
AUTH = base64.b64encode(":".join(ADA).encode()).decode()


async def _in(client: Client, home: Home, host: str, account: tuple[str, str] = ADA) -> Ok[LoggedIn] | Err[Any]:
    return await settle(login(client, host, *account, environment=home.variables))


async def _out(home: Home, host: str) -> LoggedOut:
    return await unwrap(logout(host, environment=home.variables))


async def test_a_login_is_written_as_docker_writes_it(client: Client, home: Home) -> None:
    """Docker's file, readable for its owner alone, in a folder that was not there."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        host = registry.host
        out = await _in(client, home, host)
    path = home.files["docker"]
    assert out == Ok(LoggedIn(host, "ada", path, None, proven=True, hidden_by=None))
    assert path.read_text() == f'{{\n\t"auths": {{\n\t\t"{host}": {{\n\t\t\t"auth": "{AUTH}"\n\t\t}}\n\t}}\n}}'
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]
    assert ADA[1] not in repr(out)


async def test_a_login_at_the_real_registry(client: Client, home: Home, real_registry_with_login: RealRegistry) -> None:
    """With the right password it is kept, and with another it is not."""
    host = real_registry_with_login.host
    wrong = await _in(client, home, host, (CREDENTIALS[0], "hunter2"))
    assert isinstance(wrong, Err)
    assert isinstance(wrong.error.reason, Unauthenticated)
    assert (wrong.error.doing, home.files["docker"].exists(), "hunter2" in repr(wrong)) == ("login", False, False)
    right = await _in(client, home, host, CREDENTIALS)
    assert isinstance(right, Ok)
    assert right.value.proven
    later = client.known_by(docker_keychain(environment=home.variables))
    assert await settle(ping(later, host)) == Ok(None)


async def test_a_registry_that_asks_nobody_has_proven_nothing(client: Client, home: Home) -> None:
    """Docker says "succeeded" then; this says that the password was not looked at, and keeps it all the same."""
    async with EmbeddedRegistry() as registry:
        out = await _in(client, home, registry.host)
        assert not any(seen.authorized for seen in registry.requests)
    assert isinstance(out, Ok)
    assert not out.value.proven


async def test_what_is_known_already_proves_nothing(home: Home, client: Client) -> None:
    """A client that has a good account must not lend it to the wrong password that is being proven."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        await unwrap(login(client, registry.host, *ADA, environment=home.variables))
        before = home.files["docker"].read_bytes()
        known = client.known_by(docker_keychain(environment=home.variables))
        out = await _in(known, home, registry.host, ("ada", "wrong"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unauthenticated)
    assert home.files["docker"].read_bytes() == before


async def test_everything_else_in_the_file_stays_as_and_where_it_was(client: Client, home: Home) -> None:
    """Docker's file has much that is not ours, and people look into it; a spelling of the same host is replaced."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        host = registry.host
        document = {
            "HttpHeaders": {"X-Ü": "<&>"},
            "auths": {
                "quay.io": {"auth": "eDp5"},
                f"https://{host}/v1/": {"auth": "b2xkOm9sZA==", "email": "a@b"},
                f"{host}/team": {"auth": "dGVhbTp4"},
                f"http://{host}": {"auth": "b2xkOm9sZA=="},
            },
            "credHelpers": {"ghcr.io": "pass"},
            "psFormat": "table",
            "aliases": {"builder": "buildx"},
        }
        path = home.write("docker", document)
        path.chmod(0o644)
        assert isinstance(await _in(client, home, host), Ok)
    now = home.read("docker")
    assert list(now) == list(document)
    assert now == {**document, "auths": now["auths"]}
    assert now["auths"] == {"quay.io": {"auth": "eDp5"}, host: {"auth": AUTH}, f"{host}/team": {"auth": "dGVhbTp4"}}
    assert isinstance(now["auths"], dict)
    assert list(now["auths"]) == ["quay.io", host, f"{host}/team"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await _out(home, host) == LoggedOut(host, (path,), None)
    assert home.read("docker")["auths"] == {"quay.io": {"auth": "eDp5"}, f"{host}/team": {"auth": "dGVhbTp4"}}


@pytest.mark.parametrize("place", ["named", "runtime", "config"])
async def test_a_login_goes_where_it_will_be_found(place: str, client: Client, home: Home) -> None:
    """Where podman knows this host already, its file is looked into first, and Docker's would be for nothing."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        path = home.write(place, {"auths": {registry.host: {"auth": "b2xkOm9sZA=="}}})
        out = await _in(client, home, registry.host)
        assert isinstance(out, Ok)
        assert (out.value.file, home.files["docker"].exists()) == (path, False)
        found = await settle(docker_keychain(environment=home.variables)(registry.host))
        assert found == Ok(BasicCredentials(ADA[0], SecretStr(ADA[1])))


async def test_the_file_that_is_named_is_written_first(client: Client, home: Home) -> None:
    """A pipeline sets REGISTRY_AUTH_FILE so that nothing goes into the home of its user."""
    home.more["REGISTRY_AUTH_FILE"] = str(home.root / "new" / "auth.json")
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        out = await _in(client, home, registry.host)
    assert isinstance(out, Ok)
    assert (out.value.file, out.value.file.exists()) == (home.root / "new" / "auth.json", True)


@pytest.mark.parametrize("section", ["credHelpers", "credsStore"])
async def test_a_program_keeps_the_secret_where_the_file_names_one(section: str, client: Client, home: Home) -> None:
    """Then the file has a mark, as Docker leaves it, and no secret; and a logout takes both away."""
    shelf = home.shelf()
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        host = registry.host
        home.write("docker", {section: {host: "shelf"} if section == "credHelpers" else "shelf"})
        out = await _in(client, home, host)
        assert isinstance(out, Ok)
        assert out.value.program == "docker-credential-shelf"
        assert (home.read("docker")["auths"], (shelf / host).exists()) == ({host: {}}, True)
        found = await settle(docker_keychain(environment=home.variables)(host))
        assert found == Ok(BasicCredentials(ADA[0], SecretStr(ADA[1])))
        assert (await _out(home, host)).files == (home.files["docker"],)
        assert (home.read("docker")["auths"], (shelf / host).exists()) == ({}, False)
        assert (await _out(home, host)).files == ()


async def test_a_program_that_fails_leaves_the_file_as_it_was(client: Client, home: Home) -> None:
    """Else a mark would say that there is a secret where there is none."""
    home.program("broken", "#!/bin/sh\necho s3cr3t-w0rd; exit 2\n")
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        before = home.write("docker", {"credsStore": "broken"}).read_bytes()
        out = await _in(client, home, registry.host)
    assert isinstance(out, Err)
    assert out.error.reason == Misconfigured("docker-credential-broken", "it ended with 2")
    assert (home.files["docker"].read_bytes(), ADA[1] in repr(out)) == (before, False)


async def test_a_broken_file_is_not_overwritten(client: Client, home: Home) -> None:
    """A comma too many must not cost somebody all logins."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        path = home.write("docker", '{"auths": {},}')
        out = await _in(client, home, registry.host)
        gone = await settle(logout(registry.host, environment=home.variables))
    for each in (out, gone):
        assert isinstance(each, Err)
        assert isinstance(each.error.reason, Misconfigured)
        assert each.error.reason.setting == f"auth file {path}"
    assert path.read_text() == '{"auths": {},}'


async def test_a_file_behind_a_link_is_replaced_and_the_link_stays(client: Client, home: Home) -> None:
    """Many keep their settings elsewhere, under version control."""
    real = home.root / "elsewhere.json"
    real.write_text("{}")
    home.files["docker"].parent.mkdir()
    home.files["docker"].symlink_to(real)
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        assert isinstance(await _in(client, home, registry.host), Ok)
        assert registry.host in json.loads(real.read_text())["auths"]
    assert home.files["docker"].is_symlink()


async def test_a_folder_that_cannot_be_is_a_reason(client: Client, home: Home) -> None:
    """It names the file, and the login that was proven is not half kept."""
    (home.root / ".docker").write_text("a file")
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        out = await _in(client, home, registry.host)
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, LocalIo)
    assert out.error.reason.path == str(home.files["docker"])


@pytest.mark.parametrize(
    ("account", "setting"),
    [
        (("", "x"), "username"),
        (("a:b", "x"), "username"),
        (("a\nb", "x"), "username"),
        (("ada", ""), "password"),
        (("ada", "x\r\n"), "password"),
    ],
)
async def test_an_account_that_cannot_be_sent_is_not_tried(
    account: tuple[str, str], setting: str, client: Client, home: Home
) -> None:
    """A line end from a file is the most frequent wrong password of all."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        out = await _in(client, home, registry.host, account)
        assert registry.counts().requests == 0
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert out.error.reason.setting == setting


@pytest.mark.parametrize("host", ["https://ghcr.io", "ghcr.io/team", "ada:x@ghcr.io", "ghcr.io\n", ""])
async def test_what_is_no_host_is_refused(host: str, client: Client, home: Home) -> None:
    """Before anything is sent or read."""
    for out in (await _in(client, home, host), await settle(logout(host, environment=home.variables))):
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, BadReference)


async def test_docker_hub_is_kept_under_the_name_that_every_tool_reads(home: Home) -> None:
    """Docker knows one spelling alone; a logout knows all of them."""
    team = {"docker.io/team": {"auth": "eDp5"}}
    home.write("docker", {"auths": {"docker.io": {"auth": "eDp5"}, "index.docker.io": {}, **team}})
    await unwrap(keep_account("docker.io", BasicCredentials(ADA[0], SecretStr(ADA[1])), environment=home.variables))
    assert home.read("docker")["auths"] == {"https://index.docker.io/v1/": {"auth": AUTH}, **team}
    gone = await _out(home, "index.docker.io")
    assert (gone.host, home.read("docker")["auths"]) == ("docker.io", team)


async def test_a_variable_that_comes_first_is_told(client: Client, home: Home) -> None:
    """Else a user logs in, and is somebody else all the same."""
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        home.more["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {registry.host: {"auth": "eDp5"}}})
        out = await _in(client, home, registry.host)
        assert isinstance(out, Ok)
        assert (out.value.hidden_by, out.value.file) == ("DOCKER_AUTH_CONFIG", home.files["docker"])
        assert (await _out(home, registry.host)).hidden_by == "DOCKER_AUTH_CONFIG"


_MANY = """\
import asyncio, sys
from registry_fp.effect.exits import unwrap
from registry_fp.transport.account import BasicCredentials
from registry_fp.transport.account_keeping import keep_account
from registry_fp.transport.account_keeping import keep_account
from pydantic import SecretStr
for number in range(10):
    host = f"{sys.argv[1]}-{number}.example"
    asyncio.run(unwrap(keep_account(host, BasicCredentials("ada", SecretStr("x")))))
"""


async def test_logins_from_many_tasks_and_programs_lose_nothing(home: Home) -> None:
    """A script logs in to all its registries at once, and each reads, changes and writes one file."""
    tools = [
        Tool((sys.executable, "-c", _MANY, name), {**home.variables, "PYTHONPATH": str(Path.cwd())}) for name in "abc"
    ]
    await asyncio.gather(*(tool() for tool in tools))
    auths = home.read("docker")["auths"]
    assert isinstance(auths, dict)
    assert len(auths) == 30
    assert [entry.name for entry in home.files["docker"].parent.iterdir()] == ["config.json"]


async def test_what_we_keep_docker_and_podman_find_and_forget(client: Client, home: Home) -> None:
    """One login for all tools, in both directions."""
    docker = Tool(
        (str(required("docker.io", "docker").program("docker")),),
        {**home.variables, "DOCKER_HOST": "tcp://127.0.0.1:1"},
    )
    own = skopeo_tool(required("skopeo"), home.root)
    skopeo = Tool(own.command, {**own.environment, **home.variables})
    async with EmbeddedRegistry(basic_auth=ADA) as registry:
        assert isinstance(await _in(client, home, registry.host), Ok)
        said = await skopeo("login", "--get-login", registry.host)
        assert said.stdout.strip() == "ada"
        await docker("logout", registry.host)
        assert home.read("docker")["auths"] == {}
        password = ADA[1].encode()
        await skopeo("login", "--tls-verify=false", "-u", "ada", "--password-stdin", registry.host, stdin=password)
        found = await settle(docker_keychain(environment=home.variables)(f"{registry.host}/team/app"))
        assert found == Ok(BasicCredentials(ADA[0], SecretStr(ADA[1])))
        assert (await _out(home, registry.host)).files == (home.files["runtime"],)
        done = await skopeo("login", "--get-login", registry.host, expect=None)
        assert done.stdout.strip() == ""


def test_no_secret_is_in_the_arguments_of_a_program(home: Home) -> None:
    """Every user of a machine can read those; it goes through standard input."""
    home.program("spy", '#!/bin/sh\necho "$@" >"$HOME/arguments"; env >"$HOME/environment"; cat >"$HOME/stdin"\n')
    home.write("docker", {"credsStore": "spy"})
    script = _MANY.replace('"x"', f'"{ADA[1]}"').replace("range(10)", "range(1)")
    subprocess.run(
        [sys.executable, "-c", script, "a"], env={**home.variables, "PYTHONPATH": str(Path.cwd())}, check=True
    )
    seen = {name: (home.root / name).read_text() for name in ("arguments", "environment", "stdin")}
    assert [ADA[1] in text for text in seen.values()] == [False, False, True]
    assert ADA[1] not in home.files["docker"].read_text()
