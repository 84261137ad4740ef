"""The log: below one name, silent until it is wanted, and fit for any terminal."""

from __future__ import annotations

import logging
import subprocess
import sys
from io import StringIO
from pathlib import Path

from registry_fp.effect.log import log_of

STRANGE = "\x1b]0;owned\x07\x1b[2J\r\nerror: forged \u202egnol\u2066\u2028\x9b31m"


def test_nobody_hears_it_unless_they_want_to(tmp_path: Path) -> None:
    """A library that writes to somebody's standard error by itself breaks what reads it (PEP 282)."""
    exposed = tmp_path / "config.json"
    exposed.write_text('{"auths": {"ghcr.io": {"auth": "YTpi"}}}')
    exposed.chmod(0o644)  # which is warned of
    program = (
        "import asyncio, logging, sys; from registry_fp import docker_keychain, settle\n"
        "if len(sys.argv) > 2: logging.basicConfig(level=logging.WARNING)\n"
        "asyncio.run(settle(docker_keychain(environment={'DOCKER_CONFIG': sys.argv[1]}, home='/')('ghcr.io')))"
    )
    silent, heard = (
        subprocess.run([sys.executable, "-c", program, tmp_path, *more], capture_output=True, text=True, check=True)
        for more in ((), ("log",))
    )
    assert (silent.stdout, silent.stderr) == ("", "")
    assert heard.stderr.startswith("WARNING:registry_fp.transport.docker_keychain:auth file ")


def test_a_record_is_one_line_of_printable_text() -> None:
    """What a server wrote is in there, and whoever reads the log has a terminal."""
    there = StringIO()
    handler = logging.StreamHandler(there)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = log_of("registry_fp.tests")
    log.addHandler(handler)
    log.warning("a tag %s and %d more", STRANGE, 3)
    log.warning(STRANGE)
    lines = there.getvalue().splitlines(keepends=True)
    try:
        raise ValueError(STRANGE)  # noqa: TRY301  it needs a trace
    except ValueError:
        log.exception("a watcher failed")
    log.removeHandler(handler)
    assert len(lines) == 2
    assert lines[0].endswith(" and 3 more\n")
    assert all(line.isprintable() for line in there.getvalue().split("\n"))
    assert "Traceback" in there.getvalue()
