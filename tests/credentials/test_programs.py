"""Credential programs: somebody else's code, which may be slow, wrong or hostile."""

from __future__ import annotations

import asyncio
import json
import os
import select
from pathlib import Path

import pytest
from pydantic import SecretStr

from registry_fp.domain.errors import BadReference, Misconfigured
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.traverse import traverse
from registry_fp.transport.account import BasicCredentials
from registry_fp.transport.credential_program import CredentialProgram, ask_program
from registry_fp.transport.docker_keychain import docker_keychain
from tests.credentials.place import Home

HOST = "registry.example:5000"
SH = "#!/bin/sh\n"
SECRET = "s3cr3t-w0rd"  # noqa: S105  the one that must not be seen


def _answer(**fields: object) -> str:
    return f"{SH}cat >/dev/null\ncat <<'END'\n{json.dumps(fields)}\nEND\n"


def _told(home: Home, text: str) -> None:
    home.program("odd", text)
    home.write("docker", {"credHelpers": {HOST: "odd"}})


HOSTILE = {
    "huge": (f"{SH}cat >/dev/null; head -c 1000000 /dev/zero | tr '\\0' x", "it answered more than 65536 bytes"),
    "endless": (f"{SH}exec yes {SECRET}", "it answered more than 65536 bytes"),
    "not JSON": (f"{SH}echo the secret is {SECRET}", "its answer is not JSON"),
    "nothing": (f"{SH}exit 0", "its answer is not JSON"),
    "a list": (f"{SH}echo '[1]'", "its answer is not a JSON object"),
    "nested": (f"{SH}head -c 60000 /dev/zero | tr '\\0' '['", "its answer is not JSON"),
    "not UTF-8": (f'{SH}printf \'{{"Username": "\\377"}}\'', "its answer is not JSON"),
    "a secret that is a number": (_answer(Username="ada", Secret=1), "its answer has something else than text"),
    "another ServerURL": (
        _answer(ServerURL="https://evil.example", Username="ada", Secret=SECRET),
        "it answered about another registry than the one it was asked about",
    ),
    "the beginning of the ServerURL": (
        _answer(ServerURL="registry.example", Username="ada", Secret=SECRET),
        "it answered about another registry than the one it was asked about",
    ),
    "a line end in the user": (_answer(Username="ada\r\nX: y", Secret=SECRET), "its answer has a control character"),
    "a NUL in the secret": (_answer(Username="ada", Secret=f"{SECRET}\0"), "its answer has a control character"),
    "a failure": (f"{SH}echo {SECRET}; echo {SECRET} >&2; exit 3", "it ended with 3"),
    "a signal": (f"{SH}kill -9 $$", "it ended with -9"),
    "no program": ("\x7fELF, but not really", "it does not start: Exec format error"),
    "another way to know nothing": (f"{SH}echo nothing here; exit 1", "it ended with 1"),
    "slow": (f"{SH}cat >/dev/null; sleep 60", "it did not answer within 0.5 s"),
    "deaf": (f"{SH}exec sleep 60", "it did not answer within 0.5 s"),
    "gone, and its child talks on": (f"{SH}sleep 60 & exit 0", "it did not answer within 0.5 s"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_program_that_misbehaves_is_named_and_not_repeated(
    what: str, home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    """The reason says which program and what is wrong with it; what it said may be the secret itself."""
    text, why = HOSTILE[what]
    _told(home, text)
    out = await settle(docker_keychain(environment=home.variables, seconds=0.5 if "0.5" in why else 30)(HOST))
    assert isinstance(out, Err), out
    assert out.error.reason == Misconfigured("docker-credential-odd", why)
    said = capfd.readouterr()
    assert SECRET not in f"{out!r}{said.out}{said.err}"


@pytest.mark.parametrize("cancelled", [False, True], ids=["late", "cancelled"])
async def test_a_program_that_is_given_up_is_ended_with_its_children(cancelled: bool, home: Home) -> None:
    """A service that asks every minute must not collect programs that hang."""
    fifo = home.root / "pids"
    os.mkfifo(fifo)
    _told(home, f"{SH}sleep 60 &\necho $$ $! >{fifo}\nwait\n")
    asking = asyncio.create_task(
        settle(docker_keychain(environment=home.variables, seconds=60 if cancelled else 1)(HOST))
    )
    pids = (await asyncio.to_thread(fifo.read_text)).split()
    watched = [os.pidfd_open(int(pid)) for pid in pids]
    try:
        if cancelled:
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        else:
            assert isinstance(await asking, Err)
        assert [select.select([fd], [], [], 10)[0] for fd in watched] == [[fd] for fd in watched]
    finally:
        for fd in watched:
            os.close(fd)


async def test_a_program_that_is_given_up_is_waited_for_once(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """The loop looks for the end of each program, and warns on everybody's screen if somebody else saw it first."""
    _told(home, f"{SH}sleep 60")
    keychain = docker_keychain(environment=home.variables, seconds=0.1)
    hosts = [f"{number}.registry.example" for number in range(15)]
    home.write("docker", {"credHelpers": dict.fromkeys(hosts, "odd")})
    for host in hosts:
        assert isinstance(await settle(keychain(host)), Err)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../evil", "a name has only letters, digits, '.', '_' and '-'"),
        ("/bin/sh", "a name has only letters, digits, '.', '_' and '-'"),
        ("a b", "a name has only letters, digits, '.', '_' and '-'"),
        ("x;id", "a name has only letters, digits, '.', '_' and '-'"),
        ("odd\n", "a name has only letters, digits, '.', '_' and '-'"),
        ("\u0430pple", "a name has only letters, digits, '.', '_' and '-'"),
        ("none", "there is no such program in PATH"),
        ("not-executable", "there is no such program in PATH"),
    ],
)
async def test_only_a_program_by_its_name_in_path_is_started(name: str, why: str, home: Home) -> None:
    """An auth file comes with a checkout or a container, and must not be a way to run what lies beside it."""
    home.program("not-executable", SH).chmod(0o644)
    marker = home.root / "started"
    home.program("odd", f"{SH}touch {marker}\n")
    (home.root / "evil").write_text(f"{SH}touch {marker}\n")
    home.write("docker", {"credsStore": name})
    out = await settle(docker_keychain(environment=home.variables)(HOST))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert (out.error.reason.why, out.error.reason.setting.isprintable(), marker.exists()) == (why, True, False)


async def test_a_folder_of_path_that_is_relative_is_not_looked_into(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else who enters a folder runs what somebody else has put there."""
    _told(home, _answer(Username="mallory", Secret=SECRET))
    monkeypatch.chdir(home.root / "bin")
    for path in (".", "", f".{os.pathsep}"):
        out = await settle(docker_keychain(environment={**home.variables, "PATH": path})(HOST))
        assert isinstance(out, Err)
        assert out.error.reason == Misconfigured("docker-credential-odd", "there is no such program in PATH")


@pytest.mark.parametrize(
    "asked", ["x\nhost=ghcr.io", "ghcr.io\r", "ghcr.io\0", "", "gh cr.io", "\u0261hcr.io", "a" * 601]
)
async def test_nothing_but_the_name_of_a_registry_reaches_a_program(asked: str, home: Home) -> None:
    """A line end in what git's credential programs were asked has given away passwords, five times."""
    home.shelf({"ghcr.io": ("ada", SECRET)})
    home.write("docker", {"credsStore": "shelf"})
    out = await settle(docker_keychain(environment=home.variables)(asked))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, BadReference)
    assert (home.asked(), out.error.target.isprintable()) == ([], True)
    [direct] = (
        [await settle(ask_program(CredentialProgram("shelf", home.variables), asked))] if len(asked) < 300 else [out]
    )
    assert isinstance(direct, Err)
    assert home.asked() == []


async def test_what_a_program_is_asked_is_the_host_alone(home: Home) -> None:
    """Not the repository, and Docker Hub by the name that Docker gives it."""
    home.shelf()
    home.write("docker", {"credsStore": "shelf"})
    keychain = docker_keychain(environment=home.variables)
    for asked in ("ghcr.io/team/app", "docker.io/library/nginx", "GHCR.io"):
        assert await settle(keychain(asked)) == Ok(None)
    assert home.asked() == [("get", "ghcr.io"), ("get", "https://index.docker.io/v1/"), ("get", "ghcr.io")]


async def test_programs_run_beside_the_loop_and_beside_each_other(home: Home) -> None:
    """Each waits here until all of them run: a keychain that blocks the loop would never come to the second."""
    count, meeting = 8, home.root / "meeting"
    meeting.mkdir()
    wait = f'touch {meeting}/$$\nwhile [ "$(ls {meeting} | wc -l)" -lt {count} ]; do sleep 0.02; done\n'
    _told(home, f"{SH}{wait}" + _answer(Username="ada", Secret=SECRET).removeprefix(SH))
    keychain = docker_keychain(environment=home.variables, seconds=60)
    out = await settle(traverse(range(count), lambda _: keychain(HOST), limit=count))
    assert isinstance(out, Ok), out
    assert set(out.value) == {BasicCredentials("ada", SecretStr(SECRET))}


async def test_an_answer_may_leave_out_the_server_and_spell_its_names_in_any_case(home: Home) -> None:
    """There are programs in shell that answer no more than they must."""
    _told(home, _answer(username="ada", secret=SECRET))
    out = await settle(docker_keychain(environment=home.variables)(HOST))
    assert out == Ok(BasicCredentials("ada", SecretStr(SECRET)))


async def test_a_program_sees_the_environment_that_was_given(home: Home) -> None:
    """Most of them need a HOME and a bus; and nothing else of ours."""
    _told(home, f'{SH}cat >/dev/null\nprintf \'{{"Username": "%s", "Secret": "x"}}\' "$HOME-$SEEN$HIDDEN"\n')
    home.more["SEEN"] = "seen"
    os.environ["HIDDEN"] = "hidden"
    try:
        out = await settle(docker_keychain(environment=home.variables)(HOST))
    finally:
        del os.environ["HIDDEN"]
    assert out == Ok(BasicCredentials(f"{home.root}-seen", SecretStr("x")))


async def test_an_empty_answer_is_nobody(home: Home, tmp_path: Path) -> None:
    """Some programs say so instead of failing."""
    _told(home, _answer(ServerURL="", Username="", Secret=""))
    assert await settle(docker_keychain(environment=home.variables)(HOST)) == Ok(None)
