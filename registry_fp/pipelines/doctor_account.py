"""The doctor looks at who we are: what is known of us, where that stands, and whether the registry takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.examination import Examination
from registry_fp.pipelines.judged_account import judge_access, judge_credentials, judge_realm, name_of
from registry_fp.pipelines.judgement import Asker
from registry_fp.protocol import api
from registry_fp.protocol import tag as lists
from registry_fp.protocol.message import Response
from registry_fp.transport.account import Credentials
from registry_fp.transport.authenticator import place_of
from registry_fp.transport.docker_keychain import FoundAccount, find_account
from registry_fp.transport.port import Client
from registry_fp.transport.settings_keychain import settings_keychain

__all__ = ["KnownCredentials", "find_credentials", "look_at_account"]


@final
@dataclass(frozen=True, slots=True)
class KnownCredentials:
    """What the keychain said of a place, or why it did not; and where the same is kept, if that is known."""

    place: str
    kept: Credentials | RegistryError | None
    found: FoundAccount | None = None


async def find_credentials(client: Client, host: str, repository: Repository | None) -> KnownCredentials:
    """Whatever would be told to this host about this repository; nothing is sent."""
    origin = client.origin(host)
    asked = place_of(api.ping(origin, host) if repository is None else lists.list_tags(origin, repository))
    place = host if repository is None else str(repository)
    if client.keychain is None:
        return KnownCredentials(place, None)
    kept = await settle(client.keychain(asked))
    if isinstance(kept, Err):
        return KnownCredentials(place, kept.error)
    if kept.value is None:
        return KnownCredentials(place, None)
    chosen = await settle(settings_keychain(client.settings)(asked))
    if not isinstance(chosen, Err) and chosen.value == kept.value:
        where = f"the settings of {client.settings.name_of(origin)}"
        return KnownCredentials(place, kept.value, FoundAccount(kept.value, where, None, is_exposed=False))
    found = await settle(find_account(asked))
    same = None if isinstance(found, Err) or found.value is None else found.value
    return KnownCredentials(place, kept.value, same if same is not None and same.credentials == kept.value else None)


async def look_at_account(exam: Examination, known: KnownCredentials, door: Response | None) -> Asker:
    """Note who is asked for what, what we have to say, and whether that is enough; `door` is what strangers hear."""
    kept = known.kept
    name = None if kept is None or isinstance(kept, RegistryError) else name_of(kept)
    asker = Asker(exam.host, known.place, name)
    if door is None:
        if kept is not None:
            exam.note(judge_credentials(asker, kept, known.found, is_let_in=False))
        return asker
    access = judge_access(asker, await exam.ask(api.ping(exam.client.origin(exam.host), exam.host)))
    is_let_in = access.verdict == "yes"
    exam.note(judge_realm(asker, door, exam.client.settings.trusted_realms), access)
    exam.note(judge_credentials(asker, kept, known.found, is_let_in=is_let_in))
    return asker
