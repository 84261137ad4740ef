"""Certificates of an authority that lasts as long as the tests, as PEM files."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trustme import CA


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate, with the chain to its authority, and its key."""

    cert: Path
    key: Path


class Authority:
    """A private certificate authority, whose files are in a folder."""

    def __init__(self, folder: Path, parent: "Authority | None" = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca: CA = CA() if parent is None else parent._ca.create_child_ca()
        self.ca = folder / "ca.crt"
        self._ca.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *identities: str, from_days: int = -1, days: int = 365) -> Pair:
        """A certificate for host names, addresses or e-mail addresses, valid from and to so many days from now."""
        now = datetime.now(UTC)
        leaf = self._ca.issue_cert(
            *identities, not_before=now + timedelta(days=from_days), not_after=now + timedelta(days=days)
        )
        pair = Pair(self._folder / f"{name}.cert", self._folder / f"{name}.key")
        pair.cert.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(pair.key)
        return pair
