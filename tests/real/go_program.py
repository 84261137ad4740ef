"""Programs that are published as Go modules, built once for this checkout; Go checks what it fetches."""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.real.absence import absent
from tests.real.lock import alone

CACHE = Path(__file__).parents[2] / ".cache" / "go"
INSTALL_SECONDS = 240.0


def go_program(what: str, module: str, version: str) -> Path:
    """Return the program that a module is.

    Without a Go toolchain the running test is skipped; with one that cannot fetch or build it, CI=true is a failure.
    """
    go = shutil.which("go")
    if go is None:
        absent(f"{what}, which is built by Go: there is no go here", curable=False)
    name = module.rpartition("/")[2]
    program = CACHE / f"{name}-{version}-{platform.system()}-{platform.machine()}" / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with alone(CACHE / f"{name}.lock"):
        if not program.exists():
            _install(go, what, f"{module}@{version}", program)
    return program


def _install(go: str, what: str, module: str, program: Path) -> None:
    """Build beside the final place, which appears only when complete."""
    with tempfile.TemporaryDirectory(prefix="install.", dir=CACHE) as scratch:
        environment = {**os.environ, "GOBIN": scratch, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        try:
            subprocess.run(
                [go, "install", module],
                check=True,
                cwd=scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=INSTALL_SECONDS,
            )
        except subprocess.CalledProcessError as refused:
            absent(f"{what}: {(refused.stdout.strip().splitlines() or ['(no output)'])[-1][:300]}")
        except (OSError, subprocess.TimeoutExpired) as refused:
            absent(f"{what}: {refused}")
        program.parent.mkdir(exist_ok=True)
        Path(scratch, program.name).rename(program)
