"""A private home for the programs of the containers project: skopeo, buildah and podman."""

import json
from pathlib import Path

from tests.real.debian import Prefix

_ACCEPT_ANY = json.dumps({"default": [{"type": "insecureAcceptAnything"}]})
_CONF = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
[network]
network_config_dir = "{home}/networks"
"""


def containers_environment(prefix: Prefix, home: Path) -> dict[str, str]:
    """Write the configuration of a rootless user into `home`, and return the environment that leads there.

    With it these programs read nothing of the machine's configuration and write nothing outside `home`.
    """
    config = home / ".config" / "containers"
    for folder in (config / "registries.d", home / "run", home / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    (config / "policy.json").write_text(_ACCEPT_ANY, encoding="utf-8")
    (config / "registries.conf").write_text("", encoding="utf-8")
    (config / "containers.conf").write_text(_CONF.format(home=home), encoding="utf-8")
    return {
        **prefix.environment(),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "CONTAINERS_CONF": str(config / "containers.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(config / "registries.conf"),
        # "The user namespace is made, and its owner is not root": root, too, then stays out of /var/lib/containers
        # and /etc, and podman leaves no pausing child behind.
        "_CONTAINERS_USERNS_CONFIGURED": "done",
        "_CONTAINERS_ROOTLESS_UID": "1000",
    }


def storage_options(home: Path) -> tuple[str, ...]:
    """Return the arguments that keep images in `home`, with the driver that needs no mounts.

    podman refuses a run root of more than 50 characters, so `home` must be short.
    """
    return ("--root", f"{home}/images", "--runroot", f"{home}/run", "--storage-driver", "vfs")
