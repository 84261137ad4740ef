"""The folders in which Docker and podman keep the certificates of hosts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry_fp.domain.errors import Misconfigured
from registry_fp.transport.auth_files import Surroundings
from registry_fp.transport.certs_directory import HostCertificates, certs_folders, read_certs_directory


def _files(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_the_folders_are_those_of_podman_and_docker_with_the_users_own_first(tmp_path: Path) -> None:
    """A user without root can trust an authority; and the variables that move the files of a tool move these."""
    system = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))
    assert certs_folders(Surroundings({}, tmp_path)) == (
        tmp_path / ".config" / "containers" / "certs.d",
        tmp_path / ".docker" / "certs.d",
        tmp_path / ".config" / "docker" / "certs.d",
        *system,
    )
    moved = {"XDG_CONFIG_HOME": str(tmp_path / "x"), "DOCKER_CONFIG": str(tmp_path / "d")}
    assert certs_folders(Surroundings(moved, tmp_path)) == (
        tmp_path / "x" / "containers" / "certs.d",
        tmp_path / "d" / "certs.d",
        tmp_path / "x" / "docker" / "certs.d",
        *system,
    )


def test_the_names_of_the_files_say_what_they_are(tmp_path: Path) -> None:
    """`.crt` is an authority and `.cert` a certificate of ours: other tools read the same folder."""
    folder = _files(
        tmp_path / "a.example:5000", "b.crt", "a.crt", "z.key", "z.cert", "c.cert", "c.key", "note.txt", "x.pem"
    )
    assert read_certs_directory([tmp_path], ["a.example:5000"]).unwrap() == HostCertificates(
        (folder / "a.crt", folder / "b.crt"),
        ((folder / "c.cert", folder / "c.key"), (folder / "z.cert", folder / "z.key")),
    )


def test_the_first_folder_that_knows_the_host_is_taken_as_a_whole(tmp_path: Path) -> None:
    """As podman does: what a user chose for a host replaces what the machine says of it, and is not mixed with it."""
    mine = _files(tmp_path / "mine" / "[::1]:5000", "mine.crt")
    _files(tmp_path / "machine" / "[::1]:5000", "machine.crt")
    folders = [tmp_path / "nowhere", tmp_path / "mine", tmp_path / "machine"]
    assert read_certs_directory(folders, ["[::1]:5000"]).unwrap() == HostCertificates((mine / "mine.crt",))


def test_a_port_belongs_to_the_name(tmp_path: Path) -> None:
    """Two registries on one machine are two; the usual port may be written or left out."""
    folder = _files(tmp_path / "a.example:443", "a.crt")
    assert read_certs_directory([tmp_path], ["a.example:5000"]).unwrap() == HostCertificates()
    assert read_certs_directory([tmp_path], ["a.example"]).unwrap() == HostCertificates()
    assert read_certs_directory([tmp_path], ["a.example", "a.example:443"]).unwrap() == HostCertificates(
        (folder / "a.crt",)
    )


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["mine.cert"], "mine.cert: there is no mine.key; the name of an authority ends in .crt"),
        (["mine.key"], "mine.key: there is no mine.cert"),
        (["a.crt", "mine.cert", "other.key"], "mine.cert: there is no mine.key; the name of an authority ends in .crt"),
    ],
)
def test_half_a_pair_is_told(tmp_path: Path, names: list[str], why: str) -> None:
    """An authority that was named `.cert` is the most frequent mistake, and would else end in a riddle of OpenSSL."""
    folder = _files(tmp_path / "a.example", *names)
    found = read_certs_directory([tmp_path], ["a.example"])
    assert found.failure() == Misconfigured("certs_dirs", f"{folder}/{why}")


def test_a_link_that_leads_nowhere_is_passed_over(tmp_path: Path) -> None:
    """A package that was removed leaves one behind, and podman does not mind."""
    folder = _files(tmp_path / "a.example", "a.crt")
    (folder / "gone.crt").symlink_to(tmp_path / "nothing")
    assert read_certs_directory([tmp_path], ["a.example"]).unwrap() == HostCertificates((folder / "a.crt",))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_we_may_not_read_is_passed_over(tmp_path: Path) -> None:
    """The folder of another user on a shared machine is no reason to fail."""
    folder = _files(tmp_path / "a.example", "a.crt")
    folder.chmod(0)
    try:
        assert read_certs_directory([tmp_path], ["a.example"]).unwrap() == HostCertificates()
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("name", ["..", ".", "", "a/../b", "/etc", "a\0b", "..."])
def test_no_host_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """The name of a host comes from redirects, too, which anybody may write."""
    _files(tmp_path / "certs.d")
    (tmp_path / "out.crt").touch()
    (tmp_path / "certs.d" / "in.crt").touch()
    assert read_certs_directory([tmp_path / "certs.d"], [name]).unwrap() == HostCertificates()
