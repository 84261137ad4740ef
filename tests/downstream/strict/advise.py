"""What to do about it: advice for every way in which a registry can fail, kept complete by the type checker.

`python advise.py HOST ARCHIVE` meets some of them at a registry, and prints `name: advice` for each.
"""

from __future__ import annotations

import asyncio
import sys
from typing import assert_never

from registry_fp import (
    AmbiguousManifest,
    BadReference,
    Client,
    Conflict,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Denied,
    DigestMismatch,
    DnsFailed,
    Err,
    InvalidImage,
    LimitExceeded,
    LocalIo,
    MalformedDocument,
    MediaTypeMismatch,
    Misconfigured,
    MissingContent,
    NoSuchPlatform,
    NotConfirmed,
    NotFound,
    Ok,
    Op,
    PolicyRefused,
    ProtocolViolation,
    Pushed,
    RangeRejected,
    RateLimited,
    Reason,
    Refused,
    RegistryError,
    RegistryFailed,
    ServerFault,
    Settings,
    SeveralFailed,
    SizeMismatch,
    SourceChanged,
    TagNotDeletable,
    TarUnreadable,
    TimedOut,
    TlsFailed,
    Unauthenticated,
    Unsupported,
    UploadLost,
    connect,
    docker_save,
    fold,
    get_blob,
    get_manifest,
    list_tags,
    ping,
    push,
    settle,
    unwrap,
)


def advice(reason: Reason) -> str:
    """One word for each; a reason that a later version adds is an error here, and not at night."""
    match reason:
        case BadReference(text=text):
            return f"respell {text}"
        case NotFound(what=what):
            return f"look for the {what}"
        case LocalIo(path=path):
            return f"look at {path}"
        case InvalidImage() | TarUnreadable() | SourceChanged():
            return "save again"
        case Unauthenticated() | Denied():
            return "ask for access"
        case RateLimited(after=after) | ServerFault(after=after):
            return "wait" if after is None else f"wait {after:.0f} s"
        case TimedOut(seconds=seconds) | DeadlineExceeded(seconds=seconds):
            return f"wait longer than {seconds:.0f} s"
        case DnsFailed(host=host) | ConnectFailed(host=host) | TlsFailed(host=host):
            return f"look at the network before {host}" if ":1" not in host else "start the registry"
        case NoSuchPlatform(available=available):
            return f"take {available[0]}" if available else "take another image"
        case MissingContent(digests=digests):
            return f"find {len(digests)} blobs"
        case TagNotDeletable(siblings=siblings):
            return f"keep {siblings}"
        case Conflict():
            return "look again"
        case ConnectionLost() | UploadLost() | RangeRejected() | NotConfirmed():
            return "try again"
        case DigestMismatch(expected=expected) | SizeMismatch(expected=expected):
            return f"look for the real {expected}"
        case MalformedDocument() | AmbiguousManifest() | MediaTypeMismatch():
            return "build again"
        case ProtocolViolation() | PolicyRefused() | Refused() | Unsupported() | LimitExceeded():
            return "ask who runs the registry"
        case Misconfigured(setting=setting):
            return f"mend {setting}"
        case SeveralFailed(errors=errors):
            return "; ".join(advice(error.reason) for error in errors)
        case _:
            assert_never(reason)


async def told(op: Op[object]) -> str:
    """The reason's name and the advice; or that there was nothing to advise on."""
    return await fold(op, lambda _: "fine", lambda error: f"{type(error.reason).__name__}: {advice(error.reason)}")


async def digest_or_exit(op: Op[Pushed]) -> str:
    """For scripts: a value, or the one exception."""
    try:
        return str((await unwrap(op)).digest)
    except RegistryFailed as failed:
        sys.exit(str(failed))


async def attempts(client: Client, host: str, archive: str) -> list[str]:
    """Things that go well, and things that do not."""
    zeros = f"sha256:{'0' * 64}"
    digest = await digest_or_exit(push(client, docker_save(archive), f"{host}/strict/app:1"))
    return [
        await told(ping(client, host).map(lambda _: None)),
        await told(get_manifest(client, f"{host}/strict/app@{digest}").map(lambda raw: raw.digest)),
        await told(get_manifest(client, f"{host}/strict/app:2").map(lambda raw: raw.digest)),
        await told(get_blob(client, f"{host}/strict/app", zeros).map(len)),
        await told(list_tags(client, f"{host}/strict/App").map(len)),
        await told(push(client, docker_save(f"{archive}.missing"), f"{host}/strict/app:3").map(str)),
        await told(push(client, docker_save(__file__), f"{host}/strict/app:4").map(str)),
        await told(ping(client, "127.0.0.1:1").map(lambda _: None)),
    ]


async def main(host: str, archive: str) -> int:
    """Print what to do about each."""
    async with connect(Settings(retries=0)) as client:
        for line in await attempts(client, host, archive):
            print(line)  # noqa: T201  an application prints
        match await settle(get_manifest(client, f"{host}/strict/app:1")):
            case Ok(manifest):
                print(manifest.media_type)  # noqa: T201  an application prints
                return 0
            case Err(RegistryError(reason=reason)):
                print(advice(reason))  # noqa: T201  an application prints
                return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2])))
