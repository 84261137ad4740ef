"""Programs of Debian packages: the machine's own where it has them, else unpacked inside the checkout."""

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.real.absence import absent
from tests.real.apt import AptError, download
from tests.real.lock import alone

CACHE = Path(__file__).parents[2] / ".cache" / "debian"
UNPACK_SECONDS = 60.0
REFUSAL_SECONDS = 60.0
_STATUS = Path("/var/lib/dpkg/status")
_FOLDERS = ("usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin", "usr/local/sbin")


class PackageError(Exception):
    """A Debian package could not be had; the message is one line and says why."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Where the programs of a package are: under `root`, or installed on the machine when `root` is None."""

    root: Path | None

    def program(self, name: str) -> Path:
        """Find a program by name; the package that was provided must hold it."""
        found = shutil.which(name, path=self.environment()["PATH"])
        if found is None:
            raise PackageError(f"{name} is not in {self.root or 'any folder of PATH'}")
        return Path(found)

    def environment(self) -> dict[str, str]:
        """Return the variables that the programs need, complete, so that nothing of the caller's leaks in."""
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), *(f"/{folder}" for folder in _FOLDERS)])
        if self.root is None:
            return {"PATH": path, "LC_ALL": "C.UTF-8"}
        own = os.pathsep.join(str(self.root / folder) for folder in _FOLDERS)
        libraries = [*self.root.glob("usr/lib/*-linux-*"), *self.root.glob("lib/*-linux-*")]
        return {
            "PATH": own + os.pathsep + path,
            "LC_ALL": "C.UTF-8",
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        }


def provide(package: str, program: str | None = None) -> Prefix:
    """Make a Debian package usable without installing it; `program` is its name when it differs from the package's.

    Raises `PackageError`. Any number of callers may ask at once: one fetches, the others wait for it.
    """
    name = program or package
    installed = Prefix(None)
    if shutil.which(name, path=installed.environment()["PATH"]) is not None:
        return installed
    try:
        home = CACHE / _machine()
        prefix = Prefix(home / package)
        if not (home / package).is_dir():
            home.mkdir(parents=True, exist_ok=True)
            with alone(home / "lock"):
                if not (home / package).is_dir():
                    _fetch_unless_just_refused(package, home)
    except (AptError, OSError, subprocess.SubprocessError) as cause:
        raise PackageError(f"{package}: {cause}") from None
    prefix.program(name)
    return prefix


def required(package: str, program: str | None = None) -> Prefix:
    """Provide a package, or report the running test as lacking it."""
    try:
        return provide(package, program)
    except PackageError as refusal:
        reason = str(refusal)
    return absent(reason)


def _fetch_unless_just_refused(package: str, home: Path) -> None:
    """Fetch, or repeat a recent refusal: on a machine without network every test and worker would wait for its own."""
    note = home / f"{package}.refused"
    if note.exists() and 0 <= time.time() - note.stat().st_mtime < REFUSAL_SECONDS:
        raise AptError(note.read_text(encoding="utf-8"))
    try:
        _fetch(package, home)
    except AptError as refusal:
        note.write_text(f"{refusal}; asked at most every {REFUSAL_SECONDS:.0f} s", encoding="utf-8")
        raise AptError(note.read_text(encoding="utf-8")) from None
    note.unlink(missing_ok=True)


def _fetch(package: str, home: Path) -> None:
    """Download and unpack beside the final place, which appears only when complete."""
    with tempfile.TemporaryDirectory(prefix=f"{package}.", dir=home) as scratch:
        tree = Path(scratch) / "tree"
        tree.mkdir()
        for archive in download(package, home / "apt", Path(scratch) / "archives"):
            subprocess.run(
                ["dpkg", "-x", archive, tree],
                check=True,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=UNPACK_SECONDS,
            )
        _without_set_uid(tree)
        tree.rename(home / package)


def _without_set_uid(tree: Path) -> None:
    """Take set-uid and set-gid off what was unpacked: nobody wants a second `su` in a checkout."""
    for path in tree.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & 0o777)


def _machine() -> str:
    """Name this machine by release, architecture and installed packages, since a checkout may be shared by several."""
    release = platform.freedesktop_os_release()
    installed = sorted(line for line in _STATUS.read_bytes().splitlines() if line.startswith(b"Package: "))
    names = hashlib.sha256(b"\n".join(installed)).hexdigest()[:8]
    return f"{release['ID']}-{release.get('VERSION_ID', 'rolling')}-{platform.machine()}-{names}"
