"""Tokens: how a token server is asked, and what it answers.

A token is opaque; how long it lives is counted by our own clock, from the moment that it came. Sources: distribution,
"Token Authentication Specification" and "Docker Registry v2 authentication using OAuth2".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, final
from urllib.parse import quote, urlencode

from pydantic import SecretStr
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import Denied, PolicyRefused, ProtocolViolation, Reason, Unauthenticated
from registry_fp.domain.strict_json import load_strict
from registry_fp.protocol.location import shown
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.problem import problems_in

__all__ = ["SHORTEST_LIFE", "TOKEN_LIMIT", "IssuedToken", "TokenQuestion", "decode_token"]

TOKEN_LIMIT: Final = 128 * 1024
"""The largest answer of a token server that is read, in bytes."""

SHORTEST_LIFE: Final = 60.0
"""How many seconds a token lives at least, and where its server does not say."""

_LONGEST_LIFE: Final = 24 * 3600.0
_CLIENT: Final = "registry-fp"
_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")


@final
@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, and how many seconds it lives from when it was issued."""

    value: SecretStr
    seconds: float


@final
@dataclass(frozen=True, slots=True)
class TokenQuestion:
    """What a token is wanted for, and where it is given."""

    realm: URL = field(repr=False)
    service: str | None
    scopes: tuple[str, ...]

    def asked(self, authorization: str | None = None, account: str | None = None) -> Request:
        """GET <realm>?service=...&scope=...&scope=...: as nobody, or with this `Authorization`."""
        pairs = [("service", self.service)] if self.service is not None else []
        pairs += [("account", account)] if account is not None else []
        pairs += [("scope", scope) for scope in self.scopes]
        added = "&".join(f"{name}={quote(text or '', safe='', errors='replace')}" for name, text in pairs)
        url = str(self.realm)
        joint = "" if not added or url.endswith(("?", "&")) else "&" if "?" in url else "?"
        headers = {} if authorization is None else {"Authorization": authorization}
        return self._request("GET", URL(f"{url}{joint}{added}", encoded=True), headers)

    def exchanged(self, refresh_token: SecretStr) -> Request:
        """POST <realm>, `grant_type=refresh_token` (RFC 6749, 6)."""
        form = {
            "grant_type": "refresh_token",
            **({} if self.service is None else {"service": self.service}),
            "client_id": _CLIENT,
            **({"scope": " ".join(self.scopes)} if self.scopes else {}),
            "refresh_token": refresh_token.get_secret_value(),
        }
        body = urlencode(form, errors="replace").encode("ascii")
        return self._request("POST", self.realm, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _request(self, method: Any, url: URL, headers: dict[str, str], body: bytes | None = None) -> Request:
        host = url.host_port_subcomponent or "?"
        return Request("get_token", host, method, url, headers, body=body, limit=TOKEN_LIMIT)


def decode_token(response: Response) -> Result[IssuedToken, Reason]:
    """200: `{"token": ..., "access_token": ..., "expires_in": 300}`, where one of the two names is enough.

    A life that is missing, shorter than `SHORTEST_LIFE` or no number counts as that. A 404 is not `NotFound`, because
    it is not about what was asked of the registry. Fails with `Unauthenticated`, `Denied`, `PolicyRefused` (a
    redirect), or `ProtocolViolation`.

    >>> body = b'{"access_token": "abc", "expires_in": 300, "issued_at": "2000-01-01T00:00:00Z"}'
    >>> decode_token(Response(200, {}, URL("https://auth.example/token"), body)).unwrap()
    IssuedToken(value=SecretStr('**********'), seconds=300.0)
    """
    match response.status:
        case 200:
            return _issued(response.body)
        case 401:
            return Failure(Unauthenticated(problems_in(response.body)))
        case 403:
            return Failure(Denied(problems_in(response.body)))
        case status if 300 <= status < 400:
            return Failure(
                PolicyRefused("a redirect of a token server is not followed", shown(response.url, path=True))
            )
        case status:
            return Failure(ProtocolViolation(f"the token server answered with status {status}"))


def _issued(body: bytes) -> Result[IssuedToken, Reason]:
    loaded = load_strict(body, limit=TOKEN_LIMIT)
    document = loaded.unwrap() if is_successful(loaded) else None
    if not isinstance(document, dict):  # what is wrong with it would be told with a part of it
        return Failure(ProtocolViolation("the token server's answer is not a JSON object"))
    value = document.get("token") or document.get("access_token")
    if not isinstance(value, str) or _SENDABLE.fullmatch(value) is None:
        return Failure(ProtocolViolation("the token server's answer has no token that can be sent"))
    return Success(IssuedToken(SecretStr(value), _life(document.get("expires_in"))))


def _life(told: Any) -> float:
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 16:
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int | float):
        return SHORTEST_LIFE
    return float(min(max(told, SHORTEST_LIFE), _LONGEST_LIFE))
