"""oras: the reference tool for artifacts, built by Go for this checkout."""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.real.absence import absent
from tests.real.lock import alone
from tests.real.tool import Tool

MODULE = "oras.land/oras/cmd/oras"
VERSION = "v1.3.6"
CACHE = Path(__file__).parents[2] / ".cache" / "go"
INSTALL_SECONDS = 240.0


def oras_tool(home: Path) -> Tool:
    """Return oras with a home of its own; skip without a Go toolchain, fail under CI=true where it cannot be built."""
    go = shutil.which("go")
    if go is None:
        absent("oras, which is built by Go: there is no go here", curable=False)
    program = CACHE / f"oras-{VERSION}-{platform.system()}-{platform.machine()}" / "oras"
    CACHE.mkdir(parents=True, exist_ok=True)
    with alone(CACHE / "oras.lock"):
        if not program.exists():
            _install(go, program)
    environment = {"HOME": str(home), "PATH": os.defpath, "TMPDIR": str(home), "DOCKER_CONFIG": str(home)}
    return Tool((str(program),), environment)


def _install(go: str, program: Path) -> None:
    """Build beside the final place, which appears only when complete."""
    with tempfile.TemporaryDirectory(prefix="install.", dir=CACHE) as scratch:
        environment = {**os.environ, "GOBIN": scratch, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        try:
            subprocess.run(
                [go, "install", f"{MODULE}@{VERSION}"],
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
            absent(f"oras: {(refused.stdout.strip().splitlines() or ['(no output)'])[-1][:300]}")
        except (OSError, subprocess.TimeoutExpired) as refused:
            absent(f"oras: {refused}")
        program.parent.mkdir(exist_ok=True)
        Path(scratch, "oras").rename(program)
