"""Starting the measured push, and reading what it found."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one push cost: how it ended (a digest, or an error's line), seconds, bytes sent, growth in bytes, lags."""

    ended: str
    seconds: float
    sent: int
    grown: int
    lag: float
    own: float


def measured_push(archive: Path, target: str, **settings: str) -> Cost:
    """Push in a fresh interpreter, without a cache, with these settings."""
    command = [sys.executable, "-m", "tests.bench.measured_push", str(archive), target]
    chosen = {f"REGISTRY_FP_{name.upper()}": value for name, value in settings.items()}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **chosen}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Cost(**json.loads(done.stdout))
