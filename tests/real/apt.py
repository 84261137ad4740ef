"""Debian's apt, run as any user, with private state, and blind to the machine's update hooks."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

MACHINE_LISTS = Path("/var/lib/apt/lists")
UPDATE_SECONDS = 40.0
DOWNLOAD_SECONDS = 100.0

# Lists can only be emptied from a file. The hooks belong to the machine's own updates: one deletes its package cache.
_NO_HOOKS = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class AptError(Exception):
    """apt could not bring a package; the message holds apt's own last lines, on one line."""


def download(package: str, state: Path, folder: Path) -> list[Path]:
    """Download into `folder` a package, and those of its dependencies that this machine lacks.

    The lists at hand are tried first; where they are missing or stale, private ones are fetched into `state`.
    """
    lists = state / "lists"
    try:
        return _install(package, state, lists if lists.is_dir() else MACHINE_LISTS, folder)
    except AptError as first:
        try:
            _apt(["update"], state, lists, UPDATE_SECONDS)
            return _install(package, state, lists, folder)
        except AptError as second:
            # Lists of a failed update would shadow the machine's own at the next try.
            shutil.rmtree(lists, ignore_errors=True)
            raise AptError(f"{second} (before an update of the lists: {first})") from None


def _install(package: str, state: Path, lists: Path, folder: Path) -> list[Path]:
    """Let apt resolve and download, and install nothing."""
    _apt(["install", "--download-only", package], state, lists, DOWNLOAD_SECONDS, archives=folder)
    return sorted(folder.glob("*.deb"))


def _apt(command: Sequence[str], state: Path, lists: Path, seconds: float, *, archives: Path | None = None) -> None:
    """Run one apt-get command, whose failure, time-out or absence is `AptError`."""
    try:
        done = subprocess.run(
            ["apt-get", *_options(state, lists, archives or state / "cache" / "archives"), *command],
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise AptError("there is no apt-get here") from None
    except subprocess.TimeoutExpired:
        raise AptError(f"apt-get {command[0]} did not end within {seconds:.0f} s") from None
    if done.returncode != 0:
        raise AptError(f"apt-get {command[0]} ended with {done.returncode}: {_complaint(done.stdout)}")


def _options(state: Path, lists: Path, archives: Path) -> list[str]:
    """Say where apt may write, which is nowhere but under `state` and `archives`."""
    for written in (archives, state if lists == MACHINE_LISTS else lists):
        (written / "partial").mkdir(parents=True, exist_ok=True)
    hooks = state / "no-hooks.conf"
    hooks.write_text(_NO_HOOKS, encoding="utf-8")
    settings = {
        "Dir::State": state,
        "Dir::State::lists": lists,
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": state / "cache",
        "Dir::Cache::archives": archives,
        "Dir::Log": state,
        "Debug::NoLocking": "true",  # the machine's lock files belong to root
        "APT::Sandbox::User": "root",  # that is: no second user, who could not write into the checkout
        "APT::Install-Recommends": "false",
        "APT::Get::Assume-Yes": "true",
        "APT::Update::Error-Mode": "any",  # else an update that fetched nothing ends with 0
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::http::Timeout": "10",
        "Acquire::https::Timeout": "10",
        "Acquire::Retries": "1",
    }
    return ["-q", "-c", str(hooks), *(f"-o{name}={setting}" for name, setting in settings.items())]


def _complaint(output: str, *, limit: int = 300) -> str:
    """Pick the line in which apt says what is wrong: what it could not fetch, else its last complaint."""
    said = [line.strip() for line in output.splitlines() if line.strip()]
    complaints = [line for line in said if line.startswith(("E:", "W:", "Err:"))]
    unfetched = [line for line in complaints if "Failed to fetch" in line]
    return (unfetched or complaints or said or ["(no output)"])[-1][:limit]
