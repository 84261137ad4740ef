"""The API itself: is there a registry, and will it talk to us (end-1)."""

from __future__ import annotations

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import Reason
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.refusal import objection

__all__ = ["decode_ping", "ping"]


def ping(origin: URL, host: str) -> Request:
    """end-1: GET /v2/."""
    return Request("ping", host, "GET", URL(f"{origin}/v2/", encoded=True))


def decode_ping(response: Response) -> Result[None, Reason]:
    """200 is a registry that lets us in; 401 is one that wants credentials; anything else is none."""
    refused = objection(response, "registry")
    return Success(None) if refused is None else Failure(refused)
