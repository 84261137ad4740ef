"""Is there a registry, and will it talk to us?"""

from __future__ import annotations

from registry_fp.effect.operation import Op
from registry_fp.operations.noun import host_noun
from registry_fp.protocol import api as wire
from registry_fp.transport.port import Client, send

__all__ = ["ping"]


def ping(client: Client, host: str) -> Op[None]:
    """Succeed if a registry answers at `host` and lets us in.

    Fails with `BadReference`, `Unauthenticated` or `Denied`, `NotFound` where something else answers, or as the
    transport does. Source: distribution-spec, end-1.
    """
    return host_noun("ping", host).bind(
        lambda name: send(client, wire.ping(client.origin(name), name), wire.decode_ping)
    )
