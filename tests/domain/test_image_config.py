"""Image configurations: as docker, podman and buildkit write them, nulls and all."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given

from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import LimitExceeded, MalformedDocument
from registry_fp.domain.image_config import CONFIG_LIMIT, ImageConfig, parse_image_config
from tests.domain.documents import encoded, unknown_fields

DIFF_ID = str(digest_of(b"layer"))

IMAGE: dict[str, Any] = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [DIFF_ID]}}

# `docker save` of an image that was built by the classic builder.
CLASSIC: dict[str, Any] = {
    "architecture": "amd64",
    "config": {
        "Hostname": "",
        "Domainname": "",
        "User": "",
        "AttachStdin": False,
        "ExposedPorts": {"80/tcp": {}},
        "Tty": False,
        "Env": ["PATH=/usr/bin"],
        "Cmd": None,
        "Healthcheck": None,
        "Image": "sha256:0",
        "Volumes": None,
        "WorkingDir": "",
        "Entrypoint": None,
        "OnBuild": None,
        "Labels": None,
        "StopSignal": "SIGQUIT",
    },
    "container": "0123",
    "container_config": {"Env": None, "Labels": {"a": "b"}},
    "created": "2024-05-01T12:00:00.123456789Z",
    "docker_version": "20.10.7",
    "history": [
        {"created": "2024-05-01T12:00:00Z", "created_by": "/bin/sh -c #(nop) ADD file:0 in / "},
        {"created": "2024-05-01T12:00:01Z", "created_by": "CMD", "empty_layer": True},
    ],
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": [DIFF_ID]},
    "variant": "",
}


def _parsed(document: dict[str, Any]) -> ImageConfig:
    return parse_image_config(encoded(document)).unwrap()


def test_a_configuration_with_nulls_as_docker_writes_them_is_read() -> None:
    """Go writes an empty list or map as null: that is an ordinary image, and most images have one."""
    config = _parsed(CLASSIC)
    assert config.config is not None
    assert (config.config.cmd, config.config.entrypoint, config.config.labels) == (None, None, None)
    assert (config.config.env, config.config.stop_signal) == (("PATH=/usr/bin",), "SIGQUIT")
    assert config.history is not None
    assert [entry.empty_layer for entry in config.history] == [None, True]
    assert [str(diff_id) for diff_id in config.rootfs.diff_ids] == [DIFF_ID]


def test_whatever_may_be_missing_may_be_null() -> None:
    """An image from scratch has no layers, and says so in one of three ways."""
    missing: tuple[dict[str, Any], ...] = (
        {"config": None},
        {"history": None},
        {"created": None, "author": None},
        {"config": {}},
        {"history": []},
        {"rootfs": {"type": "layers", "diff_ids": None}},
        {"rootfs": {"type": "layers", "diff_ids": []}},
        {"rootfs": {"type": "layers"}},
    )
    for changed in missing:
        config = _parsed({**CLASSIC, **changed})
        assert len(config.rootfs.diff_ids) == (0 if "rootfs" in changed else 1), changed


def test_what_is_wrong_is_malformed() -> None:
    """The layers of an image are what its configuration proves: it must have exactly one reading."""
    wrong: tuple[dict[str, Any], ...] = (
        {"rootfs": None},
        {"rootfs": {"type": "layers", "diff_ids": ["sha256:../../x"]}},
        {"rootfs": {"type": "layers", "diff_ids": [None]}},
        {"rootfs": {"type": "layers", "diff_ids": {}}},
        {"rootfs": {"type": "squashfs", "diff_ids": []}},
        {"rootfs": {"type": "layers", "diff_ids": [], "Diff_IDs": [DIFF_ID]}},
        {"os": None},
        {"architecture": 1},
        {"Rootfs": {}},
        {"OS": "windows"},
        {"config": {"Env": "PATH=/"}},
        {"config": {"Cmd": [1]}},
        {"config": {"Labels": {"a": 1}}},
        {"config": {"Env": [], "env": []}},
        {"history": [None]},
        {"history": [{"empty_layer": "true"}]},
    )
    for changed in wrong:
        parsed = parse_image_config(encoded({**CLASSIC, **changed}))
        assert isinstance(parsed.failure(), MalformedDocument), changed


@pytest.mark.parametrize("missing", ["architecture", "os", "rootfs"])
def test_what_an_image_cannot_be_without_must_be_there(missing: str) -> None:
    """Without these it cannot be chosen, run or verified."""
    document = {name: value for name, value in CLASSIC.items() if name != missing}
    assert parse_image_config(encoded(document)).failure() == MalformedDocument(f"{missing}: Field required")


def test_the_platform_is_what_the_configuration_says() -> None:
    """`--platform` is compared with it."""
    document = {**CLASSIC, "architecture": "arm", "variant": "v7", "os.version": "10.0"}
    platform = _parsed(document).platform
    assert (str(platform), platform.os_version) == ("linux/arm/v7", "10.0")
    assert str(_parsed(CLASSIC).platform) == "linux/amd64"


@given(
    fields=unknown_fields(
        "architecture", "os", "os.version", "variant", "created", "author", "config", "rootfs", "history"
    )
)
def test_unknown_fields_are_kept(fields: dict[str, Any]) -> None:
    """Every builder adds some of its own."""
    assert _parsed({**fields, **IMAGE}).model_extra == fields


def test_a_name_that_stands_twice_is_refused() -> None:
    """The second `rootfs` would be the one that another tool verifies."""
    raw = encoded(IMAGE)[:-1] + b', "os": "windows"}'
    assert parse_image_config(raw).failure() == MalformedDocument("the name 'os' stands twice")


def test_the_limit_is_on_bytes() -> None:
    """A configuration is a few kilobytes; megabytes are an attack or a mistake."""
    raw = encoded(IMAGE).ljust(CONFIG_LIMIT + 1)
    assert parse_image_config(raw).failure() == LimitExceeded("bytes of JSON", CONFIG_LIMIT)


def test_a_configuration_is_a_frozen_value() -> None:
    """It is shared, cached and sent to other processes."""
    config = _parsed(CLASSIC)
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301  our own bytes
    assert len({config, _parsed(CLASSIC)}) == 1
