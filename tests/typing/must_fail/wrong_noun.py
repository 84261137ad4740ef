"""A noun of the wrong kind, a value of the wrong track, an option that there is not."""

from returns.future import FutureResult
from returns.result import Result, Success

from registry_fp import (
    BadReference,
    Client,
    Digest,
    Op,
    Pushed,
    PushOptions,
    Reference,
    RegistryError,
    docker_save,
    get_manifest,
    has_blob,
    list_tags,
    operation,
    ping,
    push,
    traverse,
    unwrap,
)


def a_path_is_no_archive(client: Client) -> Op[Pushed]:
    """Which kind of archive it is must be said."""
    return push(client, "app.tar", "ghcr.io/team/app:1")  # expect: mypy[arg-type] pyright[reportArgumentType]


def a_digest_is_no_repository(client: Client, digest: Digest) -> Op[tuple[str, ...]]:
    """Tags are of a repository."""
    return list_tags(client, digest)  # expect: mypy[arg-type] pyright[reportArgumentType]


def a_reference_is_no_repository(client: Client, name: Reference, digest: Digest) -> Op[bool]:
    """Blobs are of a repository, and a tag would be dropped silently."""
    return has_blob(client, name, digest)  # expect: mypy[arg-type] pyright[reportArgumentType]


def a_client_comes_first() -> Op[None]:
    """There is no client behind the scenes."""
    return ping("ghcr.io")  # expect: mypy[call-arg,arg-type] pyright[reportCallIssue]


async def a_push_is_no_digest(client: Client) -> Digest:
    """What comes out has a type, and it is not `Any`."""
    return await unwrap(push(client, docker_save("a"), "b"))  # expect: mypy[arg-type] pyright[reportReturnType]


def an_option_has_its_values() -> PushOptions:
    """A codec that there is not."""
    return PushOptions(compression="brotli")  # expect: mypy[arg-type] pyright[reportArgumentType]


def options_are_by_keyword(client: Client, options: PushOptions) -> Op[Pushed]:
    """A positional option says nothing to a reader."""
    return push(client, docker_save("a"), "b", options)  # expect: mypy[call-arg] pyright[reportCallIssue]


def an_error_does_not_change(error: RegistryError) -> None:
    """It is a value."""
    error.doing = "something else"  # expect: mypy[misc] pyright[reportAttributeAccessIssue]


@operation
async def other(_: Pushed) -> Result[int, str]:
    """An operation with an error of its own."""
    return Success(1)


def another_error_does_not_join_the_railway(client: Client) -> object:
    """One error for the whole line, or an explicit `alt`."""
    return push(client, docker_save("a"), "b").bind(
        other,  # expect: mypy[arg-type] pyright[reportArgumentType]
    )


def the_value_inside_is_not_the_operation(client: Client) -> Op[str]:
    """`map` takes a function of the value."""
    return get_manifest(client, "a").map(
        lambda raw: raw.tags,  # expect: mypy[attr-defined] pyright[reportAttributeAccessIssue]
    )


def a_limit_must_be_said(client: Client) -> FutureResult[tuple[None, ...], RegistryError]:
    """Nothing is unbounded by default."""

    def one(host: str) -> Op[None]:
        return ping(client, host)

    return traverse(["a"], one)  # expect: mypy[call-arg] pyright[reportCallIssue]


def a_reason_has_its_facts() -> BadReference:
    """All of them."""
    return BadReference("App")  # expect: mypy[call-arg] pyright[reportCallIssue]
