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
from registry_fp.testing.manners import Manners
from registry_fp.testing.sample_archive import (
    Repeats,
    SampleArchive,
    SampleImage,
    SavedLayout,
    sample_image,
    sample_layer,
    write_docker_save,
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
    "Manners",
    "NotStored",
    "Repeats",
    "SampleArchive",
    "SampleImage",
    "SavedLayout",
    "SeenRequest",
    "Stall",
    "WrongDigestHeader",
    "running_registry",
    "sample_image",
    "sample_layer",
    "write_docker_save",
]
