"""Each thing that goes wrong with TLS is mended in its own way."""

import pytest

from registry_fp.domain.errors import RegistryError, TlsFailed
from registry_fp.domain.explain import hint
from registry_fp.domain.tls_fault import TLS_FAULTS, tls_hint


@pytest.mark.parametrize("fault", sorted(TLS_FAULTS))
def test_every_fault_has_a_hint_of_its_own(fault: str) -> None:
    """One hint for all would send most people the wrong way."""
    assert tls_hint(fault) != tls_hint("something that OpenSSL says")
    assert hint(RegistryError("ping", "a.example", TlsFailed("a.example", fault))) == tls_hint(fault)
