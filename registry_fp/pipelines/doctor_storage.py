"""The doctor stores a little, to see what the registry does with it, and deletes it again."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Final, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Result, Success
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.artifact import UNKNOWN_ARTIFACT, UNKNOWN_CONFIG, render_artifact
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference, Repository
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.blobs import delete_blob
from registry_fp.operations.manifests import delete_manifest
from registry_fp.operations.uploads import CANCEL_SECONDS, cancel_upload
from registry_fp.pipelines.diagnosis import Finding
from registry_fp.pipelines.examination import Examination
from registry_fp.pipelines.judged_repository import judge_answered, judge_ranges
from registry_fp.pipelines.judgement import Answer, reason_of, sentence
from registry_fp.protocol import blob as blobs
from registry_fp.protocol import manifest as manifests
from registry_fp.protocol import upload as uploads
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.upload import Upload

__all__ = ["TAG", "look_at_storage"]

TAG: Final = "registry-fp-doctor-"
"""How every tag begins that a doctor makes."""

_START: Final = 7
_OPENED: Final = 202
_STORED: Final = (201, 204)
_ALL: Final = "single put, ranges, mount and delete tag"


async def look_at_storage(exam: Examination, repository: Repository, *, is_there: bool) -> tuple[Finding, ...]:
    """What storing shows, and whether all of it is gone again.

    Nothing is stored where it could not be deleted, or where it would make a repository that is not there yet.
    """
    if not (exam.says("delete") and exam.says("delete blob")):
        told = f"nothing was stored, since it could not be deleted again; so {_ALL} were not tried"
        return (Finding("traces", "yes", told),)
    if not is_there:
        told = f"nothing was stored, since the repository has no tag yet; so {_ALL} were not tried"
        return (Finding("traces", "yes", told, "push something there, and ask again"),)
    content = _blob()
    tag = Reference(repository, f"{TAG}{secrets.token_hex(8)}")
    return await _Trial(exam, repository, content, tag, _artifact(content)).run()


@final
@dataclass(slots=True)
class _Trial:
    """A blob and a manifest of our own, and what of them may be at the registry by now."""

    exam: Examination
    repository: Repository
    content: bytes
    tag: Reference
    manifest: RawManifest
    findings: list[Finding] = field(default_factory=list)
    sessions: list[Upload] = field(default_factory=list)
    has_blob: bool = False
    has_manifest: bool = False
    left: list[str] = field(default_factory=list)

    async def run(self) -> tuple[Finding, ...]:
        """Store, look, delete."""
        await settle(bracket(self._begin, self._look, self._clear, grace=CANCEL_SECONDS))
        gone = Finding("traces", "yes", "everything that was stored was deleted again")
        mend = "the registry clears away what no tag needs; else delete it there"
        stays = (Finding("traces", "no", f"left behind: {each}", mend) for each in self.left)
        return (*self.findings, *(stays if self.left else (gone,)))

    @operation
    async def _begin(self) -> Result[Answer, RegistryError]:
        begun = await self.exam.ask(uploads.begin_upload(self._origin, self.repository))
        self._opened(begun)
        return Success(begun)

    @operation
    async def _look(self, begun: Answer) -> Result[None, RegistryError]:
        if not self.sessions:
            self.findings.append(judge_answered("single put", begun if reason_of(begun) is not None else None))
            return Success(None)
        self.has_blob = True
        put = await self._answered(uploads.commit_upload(self.sessions[0], self._digest, self.content))
        self.has_blob = _may_be_stored(put)
        self.findings.append(judge_answered("single put", put if not _is_odd(put) else None))
        if isinstance(put, Response) and put.status in _STORED:
            self.sessions.clear()
            part = blobs.get_blob(self._origin, self.repository, self._digest, start=_START)
            self.findings.append(judge_ranges(await self.exam.ask(part), self.content, _START))
            self.findings.append(await self._mounted())
            self.findings.append(await self._untagged())
        return Success(None)

    async def _mounted(self) -> Finding:
        """From the repository to itself, so that nothing else is touched."""
        wanted = blobs.mount_blob(self._origin, self.repository, self._digest, self.repository)
        answer = await self._answered(wanted)
        is_another = isinstance(answer, Response) and answer.status == _OPENED
        self._opened(answer)
        return judge_answered("mount", None if is_another else answer)

    async def _untagged(self) -> Finding:
        self.has_manifest = True
        put = await self._answered(manifests.put_manifest(self._origin, self.tag, self.manifest))
        self.has_manifest = _may_be_stored(put)
        reason = reason_of(put)
        if reason is not None:
            return Finding("delete tag", "unknown", f"a small manifest was not taken: {sentence(reason)}")
        return judge_answered("delete tag", await self.exam.ask(manifests.delete_manifest(self._origin, self.tag)))

    async def _clear(self, _begun: Answer, _done: object) -> None:
        """Whatever happened: nothing stays, or what stays is known."""
        client = self.exam.client
        if self.has_manifest:
            whole = Reference(self.repository, None, self.manifest.digest)
            kept = await _kept(delete_manifest(client, whole))
            self.left += [] if kept is None else [f"the manifest {self.tag}@{whole.digest} ({kept})"]
        if self.has_blob and self.left:  # a manifest without its blob would be worse
            self.left.append(f"the blob {self.repository}@{self._digest}, which it needs")
        elif self.has_blob:
            kept = await _kept(delete_blob(client, self.repository, self._digest))
            self.left += [] if kept is None else [f"the blob {self.repository}@{self._digest} ({kept})"]
        for each in self.sessions:
            await settle(cancel_upload(client, each))

    async def _answered(self, request: Request) -> Answer:
        """Ask for what changes something: if we are cancelled meanwhile, the answer is still waited for a little."""

        async def nothing(_answer: Answer, _done: object) -> None:
            return None

        asking = bracket(lambda: self._asked(request), FutureResult.from_value, nothing, grace=CANCEL_SECONDS)
        out = await settle(asking)
        return out.error.reason if isinstance(out, Err) else out.value

    @operation
    async def _asked(self, request: Request) -> Result[Answer, RegistryError]:
        return Success(await self.exam.ask(request))

    def _opened(self, answer: Answer) -> None:
        """Remember the session that an answer opened, if it did."""
        if isinstance(answer, Response) and answer.status == _OPENED:
            begun = uploads.after_begin(self.repository, answer)
            self.sessions += [begun.unwrap()] if is_successful(begun) else []

    @property
    def _digest(self) -> Digest:
        return digest_of(self.content)

    @property
    def _origin(self) -> URL:
        return self.exam.client.origin(self.repository.host)


def _is_odd(put: Answer) -> bool:
    """A success that is none of the specification's."""
    return isinstance(put, Response) and reason_of(put) is None and put.status not in _STORED


def _may_be_stored(answer: Answer) -> bool:
    """A registry that did not answer, or not well, may have stored it all the same."""
    return not isinstance(answer, Response) or reason_of(answer) is None


async def _kept(deleted: Op[None]) -> str | None:
    """Why something may still be there; None where it is not."""
    out = await settle(deleted)
    if not isinstance(out, Err) or isinstance(out.error.reason, why.NotFound):
        return None
    return sentence(out.error.reason)


def _blob() -> bytes:
    """64 bytes that are nowhere else, and JSON, as a configuration should be."""
    return json.dumps({"made by": "registry-fp doctor", "id": secrets.token_hex(8)}).encode().ljust(64)


def _artifact(content: bytes) -> RawManifest:
    digest, size = digest_of(content), len(content)
    config = Descriptor(media_type=UNKNOWN_CONFIG, digest=digest, size=size)
    layer = Descriptor(media_type="application/json", digest=digest, size=size)
    return render_artifact(UNKNOWN_ARTIFACT, config, (layer,)).unwrap()  # it is smaller than any limit
