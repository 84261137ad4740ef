"""A clean environment with the wheel in it: by uv where there is one, else by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import pytest

__all__ = ["ROOT", "Installed", "activated", "install", "run"]

ROOT: Final = Path(__file__).parents[2]


@final
@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel, and the interpreter of the environment that it is installed in."""

    wheel: Path
    python: Path


def install(folder: Path) -> Installed:
    """Build the wheel and install it, with the dependencies that it declares and with nothing else."""
    uv = _uv()
    if uv is None:
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
        run(sys.executable, "-m", "venv", folder / "venv")
    else:
        # From the root, so that the project's own settings of uv are in force: certificates, and the date of packages.
        run(*uv, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
        run(*uv, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    [wheel] = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    if uv is None:
        run(python, "-m", "pip", "install", "--quiet", f"{wheel}[cli]")
    else:
        run(*uv, "pip", "install", "--quiet", "--python", python, f"{wheel}[cli]")
    return Installed(wheel, python)


def activated(installed: Installed) -> dict[str, str]:
    """What a shell has when the environment is activated; pyright finds packages by it."""
    folder = installed.python.parent
    return {"VIRTUAL_ENV": str(folder.parent), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a program that must succeed, and give what it printed; otherwise the test fails with all that it said."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=inherited | (env or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _uv() -> list[str] | None:
    """Uv as it is here: as the one that runs us, as a module, or as a program."""
    beside = Path(sys.executable).parent / "uv"
    for found in (os.environ.get("UV"), str(beside) if beside.exists() else None, shutil.which("uv")):
        if found:
            return [found]
    return None
