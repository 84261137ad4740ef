"""Upload sessions: what has arrived of each blob, and which Location is the newest.

Each answer of a session carries a Location with another `_state`. An older one still tells the status and cancels,
because its owner may have lost the answer with the newer one; it cannot add bytes.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import final
from uuid import uuid4

from registry_fp.testing.storage import Sink, Storage

__all__ = ["Upload", "Uploads"]


@final
@dataclass(slots=True)
class Upload:
    """One session: it changes with every byte, and whoever changes it holds `lock`.

    `short` says that its newest chunk was too small to be any but the last.
    """

    id: str
    repository: str
    sink: Sink
    states: list[str]
    short: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def state(self) -> str:
        """What makes the newest Location the newest."""
        return self.states[-1]

    def renew(self) -> None:
        """Make every Location that was given so far stale."""
        self.states.append(_new_state())


@final
class Uploads:
    """The open sessions of one registry."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._open: dict[str, Upload] = {}

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def start(self, repository: str, algorithm: str = "sha256") -> Upload:
        """A new session, for content that will be named by `algorithm`."""
        upload = Upload(uuid4().hex, repository, self._storage.new_sink(algorithm), [_new_state()])
        self._open[upload.id] = upload
        return upload

    def find(self, repository: str, identifier: str, state: str | None) -> Upload | None:
        """The session that an issued Location names, whether or not it is the newest."""
        upload = self._open.get(identifier)
        return upload if upload is not None and upload.repository == repository and state in upload.states else None

    def is_open(self, upload: Upload) -> bool:
        """Whether the session has not ended while its lock was waited for."""
        return upload.id in self._open

    def end(self, upload: Upload) -> None:
        """The session is over; its sink is kept or discarded by the caller."""
        self._open.pop(upload.id, None)

    async def discard_all(self) -> None:
        """End every session and drop what has arrived."""
        while self._open:
            await self._open.popitem()[1].sink.discard()


def _new_state() -> str:
    # With `+`, `/` and `=` in it, so that a client that decodes and encodes carelessly is noticed.
    return f"+/{secrets.token_hex(12)}="
