"""Credential programs: `docker-credential-NAME`, which keep secrets where the operating system keeps them.

The program is told what to do by its one argument (`get`, `store`, `erase`) and by standard input, and answers on
standard output. It is somebody else's: it has a time limit and a limit on what it may say, and what it says is
never shown. Source: docker/docker-credential-helpers, README.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, final

from pydantic import SecretBytes, SecretStr
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.effect.bracket import finish
from registry_fp.effect.operation import operation
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken

__all__ = [
    "PROGRAM_ANSWER_LIMIT",
    "PROGRAM_SECONDS",
    "CredentialProgram",
    "ask_program",
    "erase_with_program",
    "store_with_program",
]

PROGRAM_SECONDS: Final = 10.0
"""How long a credential program may take."""

PROGRAM_ANSWER_LIMIT: Final = 64 * 1024
"""How many bytes a credential program may answer."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_SERVER: Final = re.compile(r"[\x21-\x7e]{1,300}", re.ASCII)
_NOT_FOUND: Final = b"credentials not found in native keychain"
_IDENTITY: Final = "<token>"


@final
@dataclass(frozen=True, slots=True)
class CredentialProgram:
    """Which program: what stands behind `docker-credential-`, where it is looked for, and its limit in seconds."""

    name: str
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = PROGRAM_SECONDS

    def __str__(self) -> str:
        """The program's own name, fit to be shown."""
        return f"docker-credential-{ascii(self.name[:100])[1:-1]}"


@operation
async def ask_program(program: CredentialProgram, server: str) -> Result[Credentials | None, RegistryError]:
    """What the program keeps for a server; None where it has nothing.

    Fails with `Misconfigured`, which names the program, and repeats nothing of what it said.
    """
    ended = await _run(program, "get", server, SecretBytes(server.encode()))
    return ended.bind(lambda done: _answered(program, server, done)).alt(
        lambda reason: RegistryError("ask_program", str(program), reason)
    )


@operation
async def store_with_program(
    program: CredentialProgram, server: str, known: BasicCredentials
) -> Result[None, RegistryError]:
    """Let the program keep a user and a password for a server. Fails with `Misconfigured`."""
    ended = await _run(program, "store", server, _entry(server, known))
    return ended.bind(lambda done: _obeyed(program, done)).alt(
        lambda reason: RegistryError("store_with_program", str(program), reason)
    )


@operation
async def erase_with_program(program: CredentialProgram, server: str) -> Result[None, RegistryError]:
    """Let the program forget a server, also one that it does not know. Fails with `Misconfigured`."""
    ended = await _run(program, "erase", server, SecretBytes(server.encode()))
    return ended.bind(lambda done: Success(None) if _is_unknown(done) else _obeyed(program, done)).alt(
        lambda reason: RegistryError("erase_with_program", str(program), reason)
    )


@final
@dataclass(frozen=True, slots=True)
class _Ended:
    code: int
    said: bytes = field(repr=False)


@final
class _Conversation(asyncio.SubprocessProtocol):
    """Collects what a program says until it has ended, or has said too much."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.said = bytearray()
        self.over: Final[asyncio.Future[None]] = loop.create_future()
        self.ended: Final[asyncio.Future[None]] = loop.create_future()
        self.closed: Final[asyncio.Future[None]] = loop.create_future()
        self._waiting_for = {"end of output", "end of program"}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.said += data[: PROGRAM_ANSWER_LIMIT + 1]
        if len(self.said) > PROGRAM_ANSWER_LIMIT:
            _set(self.over)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1:
            self._has("end of output")

    def process_exited(self) -> None:
        _set(self.ended)
        self._has("end of program")

    def connection_lost(self, exc: Exception | None) -> None:
        _set(self.over)
        _set(self.closed)

    def _has(self, what: str) -> None:
        self._waiting_for.discard(what)
        if not self._waiting_for:
            _set(self.over)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _run(
    program: CredentialProgram, verb: Literal["get", "store", "erase"], server: str, told: SecretBytes
) -> Result[_Ended, Misconfigured]:
    if _NAME.fullmatch(program.name) is None:
        return _broken(program, "a name has only letters, digits, '.', '_' and '-'")
    if _SERVER.fullmatch(server) is None:
        return _broken(program, "it is not asked about what is no registry's name")
    path = await asyncio.to_thread(
        shutil.which, f"docker-credential-{program.name}", path=program.environment.get("PATH", os.defpath)
    )
    if path is None or not Path(path).is_absolute():  # a folder of PATH that is relative is whoever's we stand in
        return _broken(program, "there is no such program in PATH")
    scope = asyncio.timeout(program.seconds)
    try:
        async with scope:
            return await _held(program, (path, verb), told)
    except TimeoutError:
        if not scope.expired():
            raise
        return _broken(program, f"it did not answer within {program.seconds:g} s")


async def _held(
    program: CredentialProgram, command: tuple[str, str], told: SecretBytes
) -> Result[_Ended, Misconfigured]:
    try:
        transport, conversation = await asyncio.get_running_loop().subprocess_exec(
            _Conversation,
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(program.environment),
            start_new_session=True,  # so that its own children end with it
        )
    except OSError as error:
        return _broken(program, f"it does not start: {os.strerror(error.errno or 0)}")
    ended: _Ended | None = None
    try:
        stdin: Any = transport.get_pipe_transport(0)
        stdin.write(told.get_secret_value())
        stdin.close()  # after what was written has gone
        await conversation.over
        if len(conversation.said) > PROGRAM_ANSWER_LIMIT:
            return _broken(program, f"it answered more than {PROGRAM_ANSWER_LIMIT} bytes")
        ended = _Ended(transport.get_returncode() or 0, bytes(conversation.said))
        return Success(ended)
    finally:
        await finish(_end(transport, conversation, by_force=ended is None))


async def _end(transport: asyncio.SubprocessTransport, conversation: _Conversation, *, by_force: bool) -> None:
    """Whatever happened: the program has ended, and has been waited for."""
    if by_force:  # and whom it started, who may hold its output open when it has long ended itself
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
            await conversation.ended  # else `close` may see the end before the loop's watcher, which then complains
    transport.close()
    await conversation.closed


def _entry(server: str, known: BasicCredentials) -> SecretBytes:
    told = {"ServerURL": server, "Username": known.username, "Secret": known.password.get_secret_value()}
    return SecretBytes(json.dumps(told).encode())


def _answered(program: CredentialProgram, server: str, done: _Ended) -> Result[Credentials | None, Misconfigured]:
    if _is_unknown(done):
        return Success(None)
    if done.code != 0:
        return _broken(program, f"it ended with {done.code}")
    try:
        answer = json.loads(done.said.decode("utf-8"))
    except (ValueError, RecursionError):
        return _broken(program, "its answer is not JSON")
    if not isinstance(answer, dict):
        return _broken(program, "its answer is not a JSON object")
    named = {name.lower(): value for name, value in answer.items()}
    read = [_text(named, name) for name in ("serverurl", "username", "secret")]
    if any(not is_successful(each) for each in read):
        return _broken(program, "its answer has something else than text")
    about, username, secret = (each.unwrap() for each in read)
    if about and about != server:
        return _broken(program, "it answered about another registry than the one it was asked about")
    if not username and not secret:
        return Success(None)
    if any(character < " " or character == "\x7f" for character in username + secret):
        return _broken(program, "its answer has a control character")
    if username == _IDENTITY:
        return Success(IdentityToken(SecretStr(secret)))
    return Success(BasicCredentials(username, SecretStr(secret)))


def _text(named: Mapping[str, Any], name: str) -> Result[str, None]:
    value = named.get(name)
    return Success(value or "") if isinstance(value, str | None) else Failure(None)


def _obeyed(program: CredentialProgram, done: _Ended) -> Result[None, Misconfigured]:
    return Success(None) if done.code == 0 else _broken(program, f"it ended with {done.code}")


def _is_unknown(done: _Ended) -> bool:
    return done.code != 0 and done.said.strip() == _NOT_FOUND


def _broken(program: CredentialProgram, why: str) -> Failure[Misconfigured]:
    return Failure(Misconfigured(str(program), why))
