"""A home of its own for a user with auth files and credential programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Home"]

# A credential program that is one: it keeps what it is told in a folder, and notes what it was asked.
_SHELF = """\
#!{python} -IS
import json, pathlib, sys
shelf, verb, told = pathlib.Path({shelf!r}), sys.argv[1], sys.stdin.read()
with (shelf / "asked").open("a") as asked:
    asked.write(json.dumps([verb, json.loads(told)["ServerURL"] if verb == "store" else told]) + "\\n")
kept = shelf / (json.loads(told)["ServerURL"] if verb == "store" else told).replace("/", "_")
if verb == "store":
    kept.write_text(told)
elif not kept.exists():
    print("credentials not found in native keychain")
    sys.exit(1)
elif verb == "get":
    print(kept.read_text())
else:
    kept.unlink()
"""


@dataclass(frozen=True, slots=True)
class Home:
    """`files` are where the tools of this world look; `variables` are what says so."""

    root: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, Path]:
        """The places by name, in the order in which they are looked into."""
        return {
            "named": self.root / "named.json",
            "runtime": self.root / "run" / "containers" / "auth.json",
            "config": self.root / ".config" / "containers" / "auth.json",
            "docker": self.root / ".docker" / "config.json",
        }

    @property
    def variables(self) -> dict[str, str]:
        """A whole environment."""
        return {
            "HOME": str(self.root),
            "XDG_RUNTIME_DIR": str(self.root / "run"),
            "PATH": f"{self.root / 'bin'}{os.pathsep}{os.defpath}",
            **self.more,
        }

    def write(self, place: str, document: object) -> Path:
        """An auth file; text is written as it is."""
        path = self.files[place]
        path.parent.mkdir(parents=True, exist_ok=True)
        if place == "named":
            self.more["REGISTRY_AUTH_FILE"] = str(path)
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        path.chmod(0o600)
        return path

    def read(self, place: str) -> dict[str, object]:
        """What is in an auth file now."""
        found = json.loads(self.files[place].read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found

    def program(self, name: str, text: str) -> Path:
        """A credential program on PATH."""
        path = self.root / "bin" / f"docker-credential-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def shelf(self, kept: Mapping[str, tuple[str, str]] | None = None, *, name: str = "shelf") -> Path:
        """A credential program that keeps these (user, secret) by server, in the folder that is returned."""
        folder = self.root / f"kept-by-{name}"
        folder.mkdir(exist_ok=True)
        (self.root / "run").mkdir(exist_ok=True)
        self.program(name, _SHELF.format(python=Path(sys.executable).resolve(), shelf=str(folder)))
        for server, (user, secret) in (kept or {}).items():
            told = {"ServerURL": server, "Username": user, "Secret": secret}
            (folder / server.replace("/", "_")).write_text(json.dumps(told), encoding="utf-8")
        return folder

    def asked(self, *, name: str = "shelf") -> list[tuple[str, str]]:
        """What that program was asked, in order."""
        log = self.root / f"kept-by-{name}" / "asked"
        return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []
