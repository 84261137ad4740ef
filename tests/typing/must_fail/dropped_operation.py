"""An operation as a statement: it is a plan, and nothing happens.

pyright has no rule for an awaitable that is not a coroutine; mypy's `unused-awaitable` finds it.
"""

from returns.result import Result, Success

from registry_fp import Client, RegistryError, delete_manifest, docker_save, operation, push, settle


def nothing_is_pushed(client: Client) -> None:
    """Neither awaited nor returned."""
    push(client, docker_save("app.tar"), "ghcr.io/team/app:1")  # expect: mypy[unused-awaitable]


async def nothing_is_deleted(client: Client) -> None:
    """An `async def` does not await by itself."""
    delete_manifest(client, "ghcr.io/team/app:1")  # expect: mypy[unused-awaitable]


async def nothing_is_settled(client: Client) -> None:
    """A coroutine, which both find."""
    settle(delete_manifest(client, "app"))  # expect: mypy[unused-coroutine] pyright[reportUnusedCoroutine]


@operation
async def step() -> Result[int, RegistryError]:
    """A user's own operation."""
    return Success(1)


def nothing_is_stepped() -> None:
    """A user's own operation is one like ours."""
    step().map(str)  # expect: mypy[unused-awaitable]
