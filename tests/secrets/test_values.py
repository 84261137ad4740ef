"""Values: whatever holds a secret shows it in no form that a program, a log or a debugger makes of it by itself."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from pydantic import SecretBytes, SecretStr, ValidationError
from pydantic_core import to_json
from returns.pipeline import is_successful
from rich.console import Console
from rich.pretty import Pretty
from yarl import URL

from registry_fp.client import compose
from registry_fp.domain.explain import explain
from registry_fp.effect.exits import Err, Ok, RegistryFailed, settle
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.ping import ping
from registry_fp.operations.tags import list_tags
from registry_fp.pipelines.tree import tree
from registry_fp.protocol.message import Incoming, Request, Response
from registry_fp.protocol.redaction import WireText
from registry_fp.protocol.token import IssuedToken, TokenQuestion
from registry_fp.transport.account import BasicCredentials, IdentityToken, RegistryToken, first_of
from registry_fp.transport.account_memory import KnownAccount
from registry_fp.transport.auth_file import AuthFile
from registry_fp.transport.auth_files import AuthPlace, Surroundings
from registry_fp.transport.authenticator import Authorization
from registry_fp.transport.credential import static_credentials
from registry_fp.transport.credential_program import CredentialProgram
from registry_fp.transport.docker_keychain import FoundAccount
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.settings import Settings, read_settings
from tests.secrets.in_memory import Forgetful, exchange_with
from tests.secrets.sentinels import found_in
from tests.secrets.test_taint import world_of
from tests.transport.clocks import InstantClock

SECRET = "s3kr1t000000x"  # noqa: S105  it is the sentinel
PROXY = f"http://ada:{SECRET}@proxy.example:3128"
BASIC = BasicCredentials("ada", SecretStr(SECRET))
REALM = URL("https://auth.example/token")
HEADERS = {"authorization": WireText(f"Bearer {SECRET}")}
ENVIRONMENT = {"DOCKER_AUTH_CONFIG": SECRET}

HOLDERS: tuple[Any, ...] = (
    BASIC,
    IdentityToken(SecretStr(SECRET)),
    RegistryToken(SecretStr(SECRET)),
    Settings(http_proxy=SecretStr(PROXY), https_proxy=SecretStr(PROXY), hosts={"a.example": {"proxy": PROXY}}),  # type: ignore[dict-item]
    HostSettings(proxy=SecretStr(PROXY)),
    Ok(BASIC),
    static_credentials("ghcr.io", "ada", SECRET),
    first_of(static_credentials("ghcr.io", "ada", SECRET)),
    KnownAccount(BASIC),
    FoundAccount(BASIC, "a file", None, is_exposed=False),
    Authorization(REALM, SecretStr(SECRET), KnownAccount(BASIC), SecretStr(SECRET)),
    IssuedToken(SecretStr(SECRET), 60.0),
    TokenQuestion(URL(f"https://auth.example/?a={SECRET}"), None, ()),
    Request("ping", "ghcr.io", "GET", URL(f"https://ghcr.io/?_state={SECRET}"), HEADERS, SECRET.encode()),
    Request("ping", "ghcr.io", "GET", REALM, HEADERS).headers,
    TokenQuestion(REALM, None, ()).exchanged(SecretStr(SECRET)),
    Response(200, {"location": SECRET}, URL(f"https://ghcr.io/?a={SECRET}"), SECRET.encode()),
    Incoming(200, {"location": SECRET}, URL(f"https://ghcr.io/?a={SECRET}"), iter(())),  # type: ignore[arg-type]
    AuthFile("a file", {"auths": {"ghcr.io": {"auth": SECRET}}}),
    AuthPlace("DOCKER_AUTH_CONFIG", text=SECRET),
    Surroundings.of(ENVIRONMENT, "/nowhere"),
    CredentialProgram("pass", ENVIRONMENT),
    SecretBytes(SECRET.encode()),
)


def _logged(value: Any) -> str:
    there = StringIO()
    handler = logging.StreamHandler(there)
    record = logging.LogRecord("a user's", logging.DEBUG, "x.py", 1, "%s %r", (value, value), None)
    handler.handle(record)
    return there.getvalue()


def _pretty(value: Any) -> str:
    there = StringIO()
    Console(file=there, width=200).print(Pretty(value))
    return there.getvalue()


def _compared(value: Any) -> str:
    try:
        assert value == "something else"
    except AssertionError as error:
        return str(error)
    return ""


FORMS: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value} {value!r} {value!s}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031  it is what is tried
    "in a list": lambda value: str([value]),
    "pprint": pprint.pformat,
    "rich": _pretty,
    "a log": _logged,
    "a failed assertion": _compared,
    "a copy": lambda value: repr(copy.copy(value)),
    "a deep copy": lambda value: repr(copy.deepcopy(value)),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_value_shows_its_secret(form: str) -> None:
    """A value is logged by somebody who does not know what is in it."""
    shown = {type(each).__name__: FORMS[form](each) for each in HOLDERS}
    assert {name: text for name, text in shown.items() if found_in(text)} == {}


CREDENTIALS = (BASIC, IdentityToken(SecretStr(SECRET)), RegistryToken(SecretStr(SECRET)))
CHOSEN = tuple(each for each in HOLDERS if isinstance(each, Settings | HostSettings))


def test_documents_made_of_values_show_no_secret() -> None:
    """`asdict` and JSON are how values get into documents."""
    documents = [
        *(str(dataclasses.asdict(each)) for each in CREDENTIALS),
        *(to_json(each).decode() for each in (*CREDENTIALS, *CHOSEN)),
        *(each.model_dump_json() for each in CHOSEN),
        *(str(each.model_dump()) for each in CHOSEN),
        json.dumps([each.model_dump(mode="json") for each in CHOSEN]),
    ]
    assert [each for each in documents if found_in(each)] == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_credentials_are_not_pickled(protocol: int) -> None:
    """A pickle goes to another machine or to a disk, in clear text; whoever needs an account there has a keychain."""
    for each in (*CREDENTIALS, *CHOSEN, Ok(BASIC), KnownAccount(BASIC), HOLDERS[6]):
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as refused:
            pickle.dumps(each, protocol)
        assert not found_in(str(refused.value))


def test_settings_without_a_secret_are_pickled() -> None:
    """Many machines that do one job are told how by the same value."""
    plain = Settings(
        https_proxy=SecretStr("http://proxy.example:3128"), hosts={"a.example": HostSettings(insecure=True)}
    )
    assert pickle.loads(pickle.dumps(plain)) == plain  # noqa: S301  it is our own


def test_a_copy_of_credentials_is_as_good_as_they_are() -> None:
    """What holds a copy still has an account, so that it is equal, and is used like it."""
    for each in CREDENTIALS:
        assert copy.deepcopy(each) == copy.copy(each) == each


async def test_a_client_shows_no_secret() -> None:
    """A service holds one for its whole life, and its debugger shows it."""
    settings = Settings(http_proxy=SecretStr(PROXY), cache=False)
    world = exchange_with(world_of(0))
    keychain = static_credentials("one.example", "ada", SECRET)
    client = compose(world, settings, keychain=keychain, clock=InstantClock().clock, memory=Forgetful())
    await settle(ping(client, "one.example"))
    assert found_in(repr(client) + pprint.pformat(client) + _pretty(client)) == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"http_proxy": [PROXY]},
        {"https_proxy": {"url": PROXY}},
        {"proxy": PROXY},
        {"hosts": {"a.example": {"proxi": PROXY}}},
        {"hosts": {"a.example": PROXY}},
        {"hosts": f'{{"a.example": {{"proxy": "{PROXY}"'},
        {"retries": PROXY},
        {"ca": [PROXY]},
    ],
    ids=str,
)
def test_a_mistake_in_settings_is_told_without_what_was_given(wrong: dict[str, Any]) -> None:
    """A password in the wrong place is still a password."""
    with pytest.raises(ValidationError) as refused:
        Settings(**wrong)
    assert found_in(str(refused.value) + repr(refused.value)) == frozenset()
    out = read_settings(**wrong)
    assert not is_successful(out)
    assert found_in(explain(out.failure()) + repr(out)) == frozenset()


@pytest.mark.parametrize(
    "typed",
    [
        f"https://ada:{SECRET}@ghcr.io/team/app:1",
        f"ada:{SECRET}@ghcr.io/team/app",
        f"docker://ada:{SECRET}@localhost:5000/app@sha256:00",
        f"//{SECRET}@ghcr.io/x",
    ],
)
async def test_a_password_in_a_reference_is_not_repeated(typed: str) -> None:
    """People paste the URLs that other tools take, and the error goes to a log."""
    client = compose(
        exchange_with(world_of(0)),
        Settings(cache=False),
        keychain=None,
        clock=InstantClock().clock,
        memory=Forgetful(),
    )
    for verb in (get_manifest, list_tags, ping, tree):
        out = await settle(verb(client, typed))
        assert isinstance(out, Err)
        assert found_in(explain(out.error) + repr(out) + str(RegistryFailed(out.error))) == frozenset()
