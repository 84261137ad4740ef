"""The files of an image, as a container sees them."""

import gzip
import posixpath
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry_fp import (
    BadReference,
    Client,
    DigestMismatch,
    Err,
    InvalidImage,
    LimitExceeded,
    Misconfigured,
    NotFound,
    Ok,
    RegistryError,
    TarUnreadable,
    parse_digest,
    settle,
    unwrap,
)
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.files import list_files, read_file
from registry_fp.testing import Fault
from tests.copy.made import image, index, put, sha256
from tests.inspect.conftest import Place
from tests.inspect.layers import OPAQUE, file, folder, hardlink, member, saved, symlink, tar, zipped
from tests.real.tool import Tool

BASE = tar(
    folder("etc"),
    file("etc/os-release", b"ID=one\n", mode=0o600, uid=1000, gid=50),
    folder("usr"),
    folder("usr/bin"),
    file("usr/bin/sh", b"#!shell\n" * 1000),
    hardlink("usr/bin/bash", "usr/bin/sh"),
    symlink("bin", "usr/bin"),
    folder("var"),
    folder("var/cache"),
    file("var/cache/old", b"old"),
    file("gone", b"gone"),
)
CHANGE = tar(
    file("etc/os-release", b"ID=two\n"),
    file("etc/.wh.missing"),
    file(".wh.gone"),
    folder("var/cache"),
    file(f"var/cache/{OPAQUE}"),
    file("var/cache/new", b"new"),
    file("usr/bin/sh", b"#!another\n"),
    symlink("usr/bin/os", "/etc/os-release"),
    symlink("up", "../../../etc"),
)


async def _reason(op) -> object:  # type: ignore[no-untyped-def]  # noqa: ANN001
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason
