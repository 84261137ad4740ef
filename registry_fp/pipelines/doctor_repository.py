"""The doctor looks at a repository: what may be read and written there, and how."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Result, Success

from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.domain.reference import Reference, Repository
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.uploads import CANCEL_SECONDS, cancel_upload
from registry_fp.pipelines.diagnosis import Finding
from registry_fp.pipelines.doctor_storage import TAG, look_at_storage
from registry_fp.pipelines.examination import Examination
from registry_fp.pipelines.judged_repository import (
    hides_absence,
    judge_answered,
    judge_chunks,
    judge_delete,
    judge_head,
    judge_pull,
    judge_push,
    judge_referrers,
    judge_tags,
)
from registry_fp.pipelines.judgement import Answer, Asker
from registry_fp.protocol import blob as blobs
from registry_fp.protocol import manifest as manifests
from registry_fp.protocol import referrer as referrers
from registry_fp.protocol import tag as tags
from registry_fp.protocol import upload as uploads
from registry_fp.protocol.message import Response, held_body
from registry_fp.protocol.upload import Upload

__all__ = ["look_at_repository"]

_CHUNK: Final = 64
_LARGEST: Final = 1024 * 1024
"""The largest chunk that is sent for the sake of a diagnosis, where the registry asks for large ones."""


@final
@dataclass(frozen=True, slots=True)
class _Read:
    """What reading has shown: a tag that is there, its manifest's digest, and whether absence is hidden."""

    tag: str | None
    digest: Digest | None
    hides: bool


async def look_at_repository(exam: Examination, repository: Repository, asker: Asker, *, writes: bool) -> None:
    """Note what we may do in a repository, and what the registry can; without `writes` nothing is changed there."""
    read = await _look_at_reading(exam, repository, asker)
    await _look_at_referrers(exam, repository, read)
    if not writes:
        return
    absent = digest_of(secrets.token_bytes(32))
    origin = exam.client.origin(repository.host)
    gone = await exam.ask(manifests.delete_manifest(origin, Reference(repository, None, absent)))
    gone_blob = await exam.ask(blobs.delete_blob(origin, repository, absent))
    exam.note(judge_delete("delete", gone, asker, hides=read.hides))
    exam.note(judge_delete("delete blob", gone_blob, asker, hides=read.hides))
    await _look_at_uploads(exam, repository, asker)
    if exam.says("push"):
        exam.note(*await look_at_storage(exam, repository, is_there=read.tag is not None))


async def _look_at_reading(exam: Examination, repository: Repository, asker: Asker) -> _Read:
    origin = exam.client.origin(repository.host)
    absent = await exam.ask(manifests.get_manifest(origin, Reference(repository, f"{TAG}{secrets.token_hex(8)}")))
    listed = await exam.ask(tags.list_tags(origin, repository, page_size=100))
    exam.note(judge_tags(listed, asker))
    page = tags.decode_tags(listed) if isinstance(listed, Response) else None
    tag = next(iter(page.unwrap().entries), None) if page is not None and is_successful(page) else None
    if tag is None:
        exam.note(judge_pull(absent, None, asker))
        return _Read(None, None, hides=False)
    head = await exam.ask(manifests.head_manifest(origin, Reference(repository, tag)))
    shown: Answer = head
    digest = manifests.content_digest(head) if isinstance(head, Response) else None
    if digest is None:
        whole = await settle(get_manifest(exam.client.at_origin(), Reference(repository, tag)))
        shown = whole.error.reason if isinstance(whole, Err) else Response(200, {}, origin)
        digest = None if isinstance(whole, Err) else whole.value.digest
    exam.note(judge_pull(absent, shown, asker))
    if exam.says("pull"):
        exam.note(judge_head(head))
    return _Read(tag, digest, hides_absence(absent, shown))


async def _look_at_referrers(exam: Examination, repository: Repository, read: _Read) -> None:
    if exam.says("pull"):
        subject = read.digest or digest_of(secrets.token_bytes(32))
        origin = exam.client.origin(repository.host)
        answer = await exam.ask(referrers.list_referrers(origin, repository, subject))
        exam.note(judge_referrers(answer, is_there=read.digest is not None))


@final
@dataclass(slots=True)
class _Session:
    """An upload that is under way; none where the registry did not begin one, or has taken it back."""

    begun: Answer
    upload: Upload | None
    broken: Reason | None = None


async def _look_at_uploads(exam: Examination, repository: Repository, asker: Asker) -> None:
    """Begin an upload, send it two chunks, ask how far it is, and take it back."""
    client = exam.client

    @operation
    async def begin() -> Result[_Session, RegistryError]:
        answer = await exam.ask(uploads.begin_upload(client.origin(repository.host), repository))
        if not isinstance(answer, Response):
            return Success(_Session(answer, None))
        begun = uploads.after_begin(repository, answer)
        if is_successful(begun):
            return Success(_Session(answer, begun.unwrap()))
        return Success(_Session(answer, None, begun.failure()))

    @operation
    async def use(session: _Session) -> Result[None, RegistryError]:
        exam.note(judge_push(session.begun, session.broken, asker))
        if session.upload is not None:
            await _look_at_session(exam, session)
        return Success(None)

    async def end(session: _Session, _done: object) -> None:
        if session.upload is not None:
            await settle(cancel_upload(client, session.upload))

    await settle(bracket(begin, use, end, grace=CANCEL_SECONDS))


async def _look_at_session(exam: Examination, session: _Session) -> None:
    assert session.upload is not None  # noqa: S101  whoever calls has looked
    least = session.upload.min_chunk
    sizes = (max(_CHUNK, least), _CHUNK + 1)
    first = second = None
    if sizes[0] <= _LARGEST:
        first = await _sent(exam, session, sizes[0])
        second = await _sent(exam, session, sizes[1]) if _is_taken(first) else None
    answer = await exam.ask(uploads.upload_status(session.upload))
    exam.note(judge_answered("upload status", answer))
    status = uploads.after_status(session.upload, answer) if isinstance(answer, Response) else None
    held = status.unwrap().sent if status is not None and is_successful(status) else None
    if status is not None and is_successful(status):
        session.upload = status.unwrap()
    if first is None:
        exam.note(Finding("chunks", "unknown", f"pieces have at least {least} bytes, which is too much to try"))
    else:
        exam.note(judge_chunks(sizes, first, second, held))
    cancelled = await exam.ask(uploads.cancel_upload(session.upload))
    exam.note(judge_answered("upload cancel", cancelled))
    if _is_taken(cancelled):
        session.upload = None


async def _sent(exam: Examination, session: _Session, size: int) -> Answer:
    assert session.upload is not None  # noqa: S101  whoever calls has looked
    answer = await exam.ask(uploads.send_chunk(session.upload, held_body(bytes(size))))
    moved = uploads.after_chunk(session.upload, size, answer) if isinstance(answer, Response) else None
    if moved is not None and is_successful(moved):
        session.upload = moved.unwrap()
    return answer


def _is_taken(answer: Answer | None) -> bool:
    return isinstance(answer, Response) and 200 <= answer.status < 300
