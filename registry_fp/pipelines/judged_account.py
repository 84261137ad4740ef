"""Who we are to a registry, judged: who is asked, what was found, and whether it lets us in. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, assert_never

from returns.pipeline import is_successful

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.domain.printable import printable
from registry_fp.pipelines.diagnosis import Finding, Verdict
from registry_fp.pipelines.judgement import Answer, Asker, advice, reason_of, sentence
from registry_fp.protocol.challenge import challenges_in
from registry_fp.protocol.location import shown
from registry_fp.protocol.message import Response
from registry_fp.protocol.realm import judge_realm as judged_realm
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, RegistryToken
from registry_fp.transport.docker_keychain import FoundAccount

__all__ = ["judge_access", "judge_credentials", "judge_realm", "name_of"]

_LONGEST: Final = 100


def judge_realm(asker: Asker, response: Response, trusted: Collection[str]) -> Finding:
    """Who wants to know who we are, from the answer to somebody who did not say; see `protocol.realm`."""
    if response.status not in (401, 403):
        return Finding("realm", "yes", "nobody is asked who they are")
    challenges = challenges_in(response.headers.get("www-authenticate"))
    bearer = next((each for each in challenges if each.scheme == "bearer"), None)
    if any(each.scheme == "basic" for each in challenges):
        return Finding("realm", "yes", "it asks for a user and a password (Basic)")
    if bearer is None:
        schemes = ", ".join(printable(each.scheme, _LONGEST) for each in challenges)
        told = (
            f"it asks for {schemes}, which is not spoken here" if schemes else "it refuses, and does not ask who we are"
        )
        return Finding("realm", "no", told, "ask who runs the registry for a user and a password, or a token server")
    realm = judged_realm(response.url, bearer.parameters.get("realm", ""), trusted)
    if not is_successful(realm):
        reason = realm.failure()
        return Finding("realm", "no", sentence(reason), _mended(reason))
    url = realm.unwrap().url
    told = f"tokens are given by {shown(url, path=True)} (Bearer)"
    if realm.unwrap().is_trusted:
        return Finding("realm", "yes", told)
    name = url.host_port_subcomponent or "?"
    mend = f"if that host may know who we are, trust it: REGISTRY_FP_TRUSTED_REALMS={name}, or `trusted_realms`"
    verdict: Verdict = "yes" if asker.name is None else "no"  # of nobody there is nothing to tell
    return Finding("realm", verdict, f"{told}, which is another host and is not told who we are", mend)


def judge_credentials(
    asker: Asker, kept: Credentials | RegistryError | None, found: FoundAccount | None, *, is_let_in: bool
) -> Finding:
    """The credentials for a place: what the keychain said of it, and where that stands, if it is known."""
    if isinstance(kept, RegistryError):
        return Finding("credentials", "no", sentence(kept.reason), _keychain_hint(kept.reason))
    if kept is None and is_let_in:
        return Finding("credentials", "yes", f"none for {asker.place}, and none are needed to come in")
    if kept is None:
        mend = f"{asker.login}, or set DOCKER_AUTH_CONFIG or REGISTRY_AUTH_FILE"
        return Finding("credentials", "no", f"none for {asker.place}", mend)
    whose = f"{name_of(kept)}, {_kind(kept)}"
    if found is None:
        return Finding("credentials", "yes", f"{whose}, given to this client")
    where = found.where.removeprefix("auth file ")
    if found.program is not None:
        return Finding("credentials", "yes", f"{whose}, kept by {found.program}, as {where} says")
    exposed = f"others can read that file: chmod 600 {where}" if found.is_exposed else None
    return Finding("credentials", "yes", f"{whose}, in {where}", exposed)


def judge_access(asker: Asker, answer: Answer) -> Finding:
    """Whether the registry lets us in (end-1)."""
    reason = reason_of(answer)
    whom = "us" if asker.name is None else asker.name
    match reason:
        case None:
            return Finding("access", "yes", f"it lets {whom} in")
        case why.Unauthenticated() if asker.name is None:
            return Finding("access", "no", "it lets nobody in without a login", f"log in: {asker.login}")
        case why.Unauthenticated():
            told = f"it does not take these credentials of {whom}"
            return Finding("access", "no", told, f"they may be wrong or have ended; log in again: {asker.login}")
        case why.Denied():
            return Finding("access", "no", f"it does not let {whom} in", "ask who runs the registry")
        case why.Misconfigured():
            return Finding("access", "no", sentence(reason), _keychain_hint(reason))
        case _:
            return Finding("access", "no", sentence(reason), advice(reason))


def name_of(known: Credentials) -> str:
    """The name that credentials show, fit to be shown."""
    match known:
        case BasicCredentials(username):
            return printable(username, _LONGEST)
        case IdentityToken() | RegistryToken():
            return "the owner of a token"
        case _:
            assert_never(known)


def _kind(known: Credentials) -> str:
    match known:
        case BasicCredentials():
            return "with a password"
        case IdentityToken():
            return "with an identity token"
        case RegistryToken():
            return "with a registry token"
        case _:
            assert_never(known)


def _keychain_hint(reason: Reason) -> str:
    if isinstance(reason, why.Misconfigured) and not reason.setting.startswith("docker-credential-"):
        return f"mend {reason.setting}, or move it away and log in again"
    return advice(reason)


def _mended(reason: Reason) -> str:
    if isinstance(reason, why.PolicyRefused):
        return "whoever runs the registry has to name its token server by https, without credentials"
    return "whoever runs the registry has to mend its WWW-Authenticate header"
