"""The user namespace in which buildah and podman own the files of the layers they write."""

import subprocess

from tests.real.absence import absent

# unshare is part of util-linux, which every Debian has.
ENTER = ("unshare", "--map-root-user", "--mount", "--")


def enter_user_namespace() -> tuple[str, ...]:
    """Return the leading arguments that run a program as root of a fresh user namespace, if the kernel lets us."""
    try:
        subprocess.run([*ENTER, "true"], check=True, capture_output=True, text=True, timeout=10.0)
    except (OSError, subprocess.SubprocessError) as cause:
        said = cause.stderr.strip() if isinstance(cause, subprocess.CalledProcessError) else str(cause)
        absent(f"a user namespace: {said}", curable=False)
    return ENTER
