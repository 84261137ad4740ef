"""A test kit: a registry that speaks the whole specification over real HTTP on loopback, and archives to push to it.

It is a test kit, and no production registry: it trusts whoever reaches it, and keeps no promise across a crash.
"""

from registry_fp.testing.counts import Counts, SeenRequest
from registry_fp.testing.embedded import EmbeddedRegistry
from registry_fp.testing.faults import (
    Answer,
    Corrupt,
    Drop,
    DropAfter,
    Fault,
    NotStored,
    Stall,
    WrongDigestHeader,
)
from registry_fp.testing.threaded import running_registry

__all__ = [
    "Answer",
    "Corrupt",
    "Counts",
    "Drop",
    "DropAfter",
    "EmbeddedRegistry",
    "Fault",
    "NotStored",
    "SeenRequest",
    "Stall",
    "WrongDigestHeader",
    "running_registry",
]
