"""The authenticator: what is said to a registry that wants to know who we are, and to its token server.

A secret is made here, and bound to the origin that it is for; it is put on a request by `Authorization.on` alone, and
only if the request goes to that origin. What was found out is remembered: which origins ask, which scopes a repository
needed, and the tokens for them, so that a body is sent with a token that will live, and not refused after it was sent.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final, final

from pydantic import SecretStr
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import Denied, PolicyRefused, RegistryError, Unauthenticated
from registry_fp.domain.transient import is_transient
from registry_fp.effect.exits import Err, settle
from registry_fp.protocol.challenge import Challenge
from registry_fp.protocol.location import same_origin, shown
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.realm import Realm, judge_realm
from registry_fp.protocol.redaction import WireText
from registry_fp.protocol.scope import are_covered, merge_scopes, scopes_in
from registry_fp.protocol.token import IssuedToken, TokenQuestion, decode_token
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, Keychain, RegistryToken
from registry_fp.transport.account_memory import PLACES_LIMIT, AccountMemory, KnownAccount
from registry_fp.transport.host_name import account_host
from registry_fp.transport.port import Exchange, collect
from registry_fp.transport.token_cache import TokenCache

__all__ = ["Authenticator", "Authorization", "place_of"]

_ANSWERED: Final = frozenset({"basic", "bearer"})
_REPOSITORY: Final = re.compile(
    r"/v2/(?P<path>.+)/(?:tags/list|blobs/uploads/[^/]*|(?:blobs|manifests|referrers)/[^/]+)"
)


@final
@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request says of who sends it, and the one origin that it is said to.

    `renewed` is how many challenges to this request it has answered. `excuse` is why it says less than it could.
    """

    origin: URL
    header: SecretStr
    account: KnownAccount
    token: SecretStr | None = None
    scopes: tuple[str, ...] = ()
    renewed: int = 0
    excuse: RegistryError | None = None

    def on(self, request: Request) -> Request:
        """The request with this header, if it goes to that origin; else as it was."""
        if request.stray or not same_origin(request.url, self.origin):
            return request
        return request.with_header("Authorization", WireText(self.header.get_secret_value()))


@dataclass(frozen=True, slots=True)
class _Need:
    """What a repository turned out to want, and the address that said so."""

    realm: Realm
    service: str | None
    scopes: tuple[str, ...] = ()
    peer: str | None = None


@dataclass(slots=True)
class _Learned:
    """What challenges taught: origins that take a password or a token as it is, and what places need of a realm."""

    direct: set[str] = field(default_factory=set)
    needs: dict[str, _Need] = field(default_factory=dict)


@final
class Authenticator:
    """Who we are to every registry of one client. It belongs to one event loop."""

    __slots__ = ("_accounts", "_learned", "_tokens", "_trusted", "_wire")

    def __init__(
        self, keychain: Keychain, wire: Exchange, *, now: Callable[[], float], trusted: Collection[str]
    ) -> None:
        self._accounts = AccountMemory(keychain, now)
        self._tokens = TokenCache(now)
        self._wire = wire
        self._trusted = trusted
        self._learned = _Learned()

    async def prepared(self, request: Request) -> Result[Authorization | None, RegistryError]:
        """What is known to be wanted, before anything is sent; a token that would expire is replaced.

        Fails as the token server does.
        """
        place = place_of(request)
        need = self._learned.needs.get(place)
        if need is None and _origin(request) not in self._learned.direct:
            return Success(None)
        account = await self._accounts.account(place)
        direct = _direct(request, account) if _origin(request) in self._learned.direct else None
        if direct is not None or need is None:
            return Success(direct)
        guessed = merge_scopes(_guessed(request, need.scopes), need.scopes)
        out = await self._with_token(request, replace(need, scopes=guessed), account)
        if is_successful(out) or is_transient(out.failure()) or guessed == need.scopes:
            return out
        # Somebody who may not have all of it may still have what was needed so far; the registry says what is missing.
        return await self._with_token(request, need, account)

    def is_answerable(
        self, status: int, challenges: tuple[Challenge, ...], said: Authorization | None, request: Request
    ) -> bool:
        """Whether there is more to say to a refusal than was said already."""
        if status == 403:
            return any(each.parameters.get("error") == "insufficient_scope" for each in challenges) and self._is_more(
                challenges, said
            )
        if status != 401 or request.stray or not any(each.scheme in _ANSWERED for each in challenges):
            return False
        if said is None or not said.renewed or self._is_more(challenges, said):
            return True
        # A token can end between its server and the registry; one that may not do this is not made better by another.
        is_ended = any(each.parameters.get("error") == "invalid_token" for each in challenges)
        return said.token is not None and said.renewed == 1 and is_ended

    async def answered(
        self,
        request: Request,
        challenges: tuple[Challenge, ...],
        said: Authorization | None,
        *,
        peer: str | None = None,
    ) -> Result[Authorization | None, RegistryError]:
        """What to say to these challenges, which `peer` sent; None where there is nothing that was not said already.

        Fails as the token server does, or as the keychain did if that is why there is nothing to say.
        """
        place = place_of(request)
        # Asked again when what is remembered is no longer taken: a keychain may have newer credentials by now.
        wrong = said.account if said is not None and said.token is None and not said.renewed else None
        account = await self._accounts.account(place, wrong=wrong)
        bearer = next((each for each in challenges if each.scheme == "bearer"), None)
        is_basic = any(each.scheme == "basic" for each in challenges)
        if isinstance(account.credentials, RegistryToken) or (
            is_basic and isinstance(account.credentials, BasicCredentials)
        ):
            self._learned.direct.add(_origin(request))
            direct = _direct(request, account)
            is_new = direct is not None and (said is None or direct.header != said.header)
            return Success(replace(direct, renewed=1) if is_new and direct is not None else None)
        if bearer is None:
            return Success(None) if account.failure is None else Failure(account.failure)
        return await self._to_bearer(request, bearer, account, said, peer)

    def excuse(self, request: Request, said: Authorization | None) -> RegistryError | None:
        """Why a request that was refused may have said less than it could, if that is so."""
        if said is not None:
            return said.excuse
        seen = self._accounts.seen(place_of(request))
        return None if seen is None else seen.failure

    async def _to_bearer(
        self,
        request: Request,
        bearer: Challenge,
        account: KnownAccount,
        said: Authorization | None,
        peer: str | None,
    ) -> Result[Authorization | None, RegistryError]:
        judged = judge_realm(request.url, bearer.parameters.get("realm", ""), self._trusted)
        if not is_successful(judged):
            reason = judged.failure()
            return Failure(request.failed(reason)) if isinstance(reason, PolicyRefused) else Success(None)
        place = place_of(request)
        before = self._learned.needs.get(place)
        older = (*(() if said is None else said.scopes), *(() if before is None else before.scopes))
        scopes = merge_scopes(scopes_in(bearer.parameters.get("scope")), older)
        need = _Need(judged.unwrap(), bearer.parameters.get("service"), scopes, peer)
        refused = None if said is None else said.token
        out = await self._with_token(request, need, account, refused)
        if not is_successful(out) and account.credentials is not None and _is_refusal(out.failure()):
            newer = await self._accounts.account(place, wrong=account)
            if newer.credentials not in (None, account.credentials):
                out = await self._with_token(request, need, newer, refused)
        if is_successful(out):
            self._learned.needs.pop(place, None)
            if len(self._learned.needs) >= PLACES_LIMIT:
                self._learned.needs.pop(next(iter(self._learned.needs)))
            self._learned.needs[place] = need
        renewed = 1 if said is None else said.renewed + 1
        return out.map(lambda found: None if found is None else replace(found, renewed=renewed))

    async def _with_token(
        self, request: Request, need: _Need, account: KnownAccount, refused: SecretStr | None = None
    ) -> Result[Authorization | None, RegistryError]:
        told = account.credentials if need.realm.is_trusted else None
        excuse = account.failure
        if account.credentials is not None and told is None:
            rule = "a token server of another host is not told who we are"
            excuse = request.failed(PolicyRefused(rule, shown(need.realm.url, path=True)))
        question = TokenQuestion(need.realm.url, need.service, need.scopes)
        key = (_origin(request), str(question.realm), question.service, frozenset(question.scopes), told)
        got = await self._tokens.token(key, lambda: self._issued(question, told, need), refused=refused)
        if not is_successful(got):
            error = replace(got.failure(), doing=request.doing, target=request.target)
            return Failure(excuse if excuse is not None and _is_refusal(error) else error)
        token = got.unwrap()
        header = SecretStr(f"Bearer {token.get_secret_value()}")
        return Success(Authorization(request.url.origin(), header, account, token, need.scopes, excuse=excuse))

    async def _issued(
        self, question: TokenQuestion, told: Credentials | None, need: _Need
    ) -> Result[IssuedToken, RegistryError]:
        if isinstance(told, IdentityToken):
            asked = _led(question.exchanged(told.token), need)
            out = await settle(self._wire(asked, lambda incoming: collect(incoming, asked)))
            if isinstance(out, Err):
                return Failure(out.error)
            if out.value.status not in (404, 405):
                return decode_token(out.value).alt(asked.failed)
            told = BasicCredentials(told.username, told.token)
        known = told if isinstance(told, BasicCredentials) else None
        header = None if known is None else WireText(_basic(known).get_secret_value())
        user = None if known is None or known.username == "<token>" else known.username
        asking = _led(question.asked(header, user), need)

        async def receive(incoming: Incoming) -> Result[IssuedToken, RegistryError]:
            collected = await collect(incoming, asking)
            if not is_successful(collected):
                return Failure(collected.failure())
            return decode_token(collected.unwrap()).alt(asking.failed)

        out_of_get = await settle(self._wire(asking, receive))
        return Failure(out_of_get.error) if isinstance(out_of_get, Err) else Success(out_of_get.value)

    @staticmethod
    def _is_more(challenges: tuple[Challenge, ...], said: Authorization | None) -> bool:
        if said is None or said.token is None:
            return said is None
        wanted = (scopes_in(each.parameters.get("scope")) for each in challenges if each.scheme == "bearer")
        return any(not are_covered(scopes, said.scopes) for scopes in wanted)


def place_of(request: Request) -> str:
    """What a keychain is asked about: `HOST[:PORT]/PATH` of the request's repository, or the host alone.

    An upload's Location has any path; what the request says it is about is the same repository.

    >>> place_of(Request("has_blob", "?", "HEAD", URL("https://registry-1.docker.io/v2/library/nginx/blobs/sha256:0")))
    'docker.io/library/nginx'
    >>> place_of(Request("put_blob", "ghcr.io/team/app@sha256:0", "PUT", URL("https://ghcr.io/elsewhere/1?s=2")))
    'ghcr.io/team/app'
    """
    host = account_host(request.url)
    match = _REPOSITORY.fullmatch(request.url.raw_path)
    if match is not None:
        return f"{host}/{match['path']}"
    if request.url.raw_path in ("/v2/", "/v2", "/v2/_catalog"):
        return host
    path = request.target.partition("@")[0].partition("/")[2].partition(":")[0]
    return f"{host}/{path}" if path else host


def _led(question: Request, need: _Need) -> Request:
    """A question to a token server, which comes no nearer to us than the registry that named it, unless we did."""
    return replace(question, stray=need.realm.stray, sender=None if need.realm.is_chosen else need.peer)


def _origin(request: Request) -> str:
    return str(request.url.origin()).lower()


def _direct(request: Request, account: KnownAccount) -> Authorization | None:
    """What is said to the registry itself: a password, or a token that was given to us."""
    match account.credentials:
        case BasicCredentials() as known:
            return Authorization(request.url.origin(), _basic(known), account)
        case RegistryToken(token):
            header = SecretStr(f"Bearer {token.get_secret_value()}")
            return Authorization(request.url.origin(), header, account)
        case _:
            return None


def _basic(known: BasicCredentials) -> SecretStr:
    pair = f"{known.username}:{known.password.get_secret_value()}".encode(errors="surrogatepass")
    return SecretStr(f"Basic {base64.b64encode(pair).decode('ascii')}")


def _guessed(request: Request, needed: tuple[str, ...]) -> tuple[str, ...]:
    """What a request will be asked for beyond what its repository needed so far: to write, and to read a source."""
    path = place_of(request).partition("/")[2]
    if not path or not any(scope.startswith(f"repository:{path}:") for scope in needed):
        return ()
    if request.method not in ("POST", "PUT", "PATCH"):
        return ()
    source = request.url.query.get("from") if "mount" in request.url.query else None
    wanted = (f"repository:{path}:pull,push", *((f"repository:{source}:pull",) if source else ()))
    return tuple(scope for scope in wanted if not are_covered([scope], needed))


def _is_refusal(error: RegistryError) -> bool:
    return isinstance(error.reason, Unauthenticated | Denied)
