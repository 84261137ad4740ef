"""oras: the reference tool for artifacts, built by Go for this checkout."""

import os
from pathlib import Path

from tests.real.go_program import go_program
from tests.real.tool import Tool

MODULE = "oras.land/oras/cmd/oras"
VERSION = "v1.3.6"


def oras_tool(home: Path) -> Tool:
    """Return oras with a home of its own; skips or fails as `go_program` does."""
    program = go_program("oras", MODULE, VERSION)
    environment = {"HOME": str(home), "PATH": os.defpath, "TMPDIR": str(home), "DOCKER_CONFIG": str(home)}
    return Tool((str(program),), environment)
