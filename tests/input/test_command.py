"""The same through the command line: one line, one hint, the exit code, and nothing on standard output."""

from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.shell import call
from tests.input.corpus import READ, SEEN

CHOSEN = [
    "a file that is not there",
    "a named pipe",
    "a text",
    "half a gzip archive",
    "no manifest.json",
    "a link to a file of this machine",
    "a layer that is not its diff_id's",
]


@pytest.mark.parametrize("verb", ["push", "push --all-tags", "inspect"])
@pytest.mark.parametrize("name", CHOSEN)
def test_a_bad_archive_is_one_line_a_hint_and_an_exit_code(
    name: str, verb: str, registry: EmbeddedRegistry, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Build logs are read by people in a hurry, and exit codes by scripts."""
    bad = SEEN.get(name) or READ[name]
    path = tmp_path / "app.tar"
    bad.write(path)
    command, *options = verb.split()
    targets = {"push": [f"{registry.host}/app:1.0"], "push --all-tags": [registry.host], "inspect": []}
    ended = call(capfdbinary, command, str(path), *options, *targets[verb], "--no-progress")
    if name in READ and verb == "inspect":  # which reads no layer
        assert ended.code == 0
        return
    assert (ended.code, ended.text) == (bad.code, "")
    error, hint = ended.err.splitlines()
    assert error.startswith("error: ")
    assert type(bad.reason).__name__ in error
    assert hint.startswith("hint: ")
    assert str(path) in error
