"""Debian's docker-registry, the reference that everything must agree with, on a free port of loopback."""

import asyncio
import http.client
import json
import re
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.child import START_SECONDS, dying_with_us, ended
from tests.real.debian import Prefix, required

CREDENTIALS = ("tester", "secret")
# bcrypt of CREDENTIALS at the lowest cost, made by `htpasswd -nbB -C 4`: every request pays for a check.
HTPASSWD = "tester:$2y$04$DSszZ15KKIxa1.hReWpQLe6BQqJWyjVV.opqbJpQJuOaFC40w6yH2\n"
_PAUSE = 0.01
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)(, tls)?")


@dataclass(frozen=True, slots=True)
class RealRegistry:
    """A running docker-registry: where it answers, its pid, the folder of its storage, and its log."""

    host: str
    pid: int
    storage: Path
    log: Path


@contextmanager
def serve_docker_registry(
    root: Path,
    *,
    htpasswd: str | None = None,
    settings: Mapping[str, object] | None = None,
    prefix: Prefix | None = None,
) -> Iterator[RealRegistry]:
    """Run docker-registry with its files under `root` until the block ends; the form for sync and session fixtures.

    `htpasswd` demands a login; `settings` is merged over the configuration (read-only, TLS, tokens, a mirror, ...).
    Skips when the registry cannot be had. It ends with the thread that started it, so start it from a lasting one.
    """
    with _started(root, htpasswd, settings or {}, prefix or required("docker-registry")) as (child, log):
        deadline = time.monotonic() + START_SECONDS
        while (host := _host(child, log, deadline)) is None:
            time.sleep(_PAUSE)
        yield RealRegistry(host, child.pid, root / "storage", log)


@asynccontextmanager
async def docker_registry(
    root: Path,
    *,
    htpasswd: str | None = None,
    settings: Mapping[str, object] | None = None,
    prefix: Prefix | None = None,
) -> AsyncIterator[RealRegistry]:
    """Run docker-registry as `serve_docker_registry` does, without holding up the running loop while it starts."""
    found = await asyncio.to_thread(required, "docker-registry") if prefix is None else prefix
    # From the loop's own thread, not a pool's: the kernel ends the registry with the thread that started it.
    with _started(root, htpasswd, settings or {}, found) as (child, log):
        deadline = time.monotonic() + START_SECONDS
        while (host := _host(child, log, deadline)) is None:  # noqa: ASYNC110 - another program sets no event of ours
            await asyncio.sleep(_PAUSE)
        yield RealRegistry(host, child.pid, root / "storage", log)


@contextmanager
def _started(
    root: Path, htpasswd: str | None, settings: Mapping[str, object], prefix: Prefix
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start the program and, whatever happens, end it by its pid and wait for its end."""
    log = root / "docker-registry.log"
    command = [
        *dying_with_us(),
        str(prefix.program("docker-registry")),
        "serve",
        str(_configured(root, htpasswd, settings)),
    ]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            env={**prefix.environment(), "HOME": str(root)},
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt typed at pytest must not end it before its clean-up
        )
    with ended(child):
        yield child, log


def _configured(root: Path, htpasswd: str | None, settings: Mapping[str, object]) -> Path:
    """Write the configuration; it is YAML, of which JSON is a part."""
    root.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(root / "storage")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        # Port 0: the kernel picks a free one and the log tells which, so there is no race for it.
        "http": {"addr": "127.0.0.1:0", "secret": "fixed for the tests"},
    }
    if htpasswd is not None:
        (root / "htpasswd").write_text(htpasswd, encoding="utf-8")
        wanted["auth"] = {"htpasswd": {"realm": "tests", "path": str(root / "htpasswd")}}
    file = root / "docker-registry.yml"
    file.write_text(json.dumps(_merged(wanted, settings), indent=1), encoding="utf-8")
    return file


def _merged(under: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Lay one tree of settings over another, section by section."""
    result = dict(under)
    for key, new in over.items():
        old = result.get(key)
        result[key] = _merged(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else new
    return result


def _host(child: subprocess.Popen[bytes], log: Path, deadline: float) -> str | None:
    """Return where the registry answers, None while it is still starting; raise when it died or took too long."""
    said = log.read_text(encoding="utf-8", errors="replace")
    match = _LISTENING.search(said)
    if match and _answers(match[1], secure=match[2] is not None):
        return match[1]
    if child.poll() is not None or time.monotonic() > deadline:
        raise AssertionError(f"docker-registry did not start (exit code {child.returncode}): {said[-2000:]}")
    return None


def _answers(host: str, *, secure: bool) -> bool:
    """Ask for /v2/, where a demand for a login is an answer too."""
    # Whose certificate it is does not matter here: only whether somebody answers.
    unchecked = ssl._create_unverified_context()  # noqa: S323
    asked = (
        http.client.HTTPSConnection(host, timeout=1.0, context=unchecked)
        if secure
        else http.client.HTTPConnection(host, timeout=1.0)
    )
    try:
        asked.request("GET", "/v2/")
        return asked.getresponse().status in (200, 401)
    except ssl.SSLError as refused:
        return "ALERT" in str(refused)  # a demand for a certificate is an answer, too
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
