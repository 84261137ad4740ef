"""The doctor: what is wrong between here and a registry, and what the registry can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from returns.result import Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.noun import host_noun, repository_noun
from registry_fp.pipelines.diagnosis import Diagnosis
from registry_fp.pipelines.doctor_account import find_credentials, look_at_account
from registry_fp.pipelines.doctor_repository import look_at_repository
from registry_fp.pipelines.doctor_way import look_at_way
from registry_fp.pipelines.examination import Examination
from registry_fp.pipelines.judged_repository import judge_catalog, judge_quota, judge_warning
from registry_fp.protocol import tag as lists
from registry_fp.transport.port import Client

__all__ = ["DoctorOptions", "doctor"]


@final
@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """How far a diagnosis goes: with `writes` it also begins uploads, and stores what it can delete again."""

    writes: bool = True


_DEFAULT: Final = DoctorOptions()


def doctor(client: Client, place: str | Repository, *, options: DoctorOptions = _DEFAULT) -> Op[Diagnosis]:
    """What works with a registry, `HOST[:PORT]`, and with a repository of it, `HOST[:PORT]/NAME`; and what does not.

    Everything is asked once. Without a repository, or without `options.writes`, nothing but GET and HEAD is sent.
    Otherwise uploads are begun and taken back; and where deleting was found to work, and the repository has a tag, a
    blob of 64 bytes and a manifest with the tag `registry-fp-doctor-...` are stored and deleted again, whatever happens
    in between. What had to stay is named.

    Whatever is wrong is a finding: it fails with `BadReference` alone, before anything is sent.
    """
    text = str(place)
    if "/" not in text:
        return host_noun("doctor", text).bind(lambda host: _examined(client, host, None, options))
    return repository_noun("doctor", place).bind(lambda name: _examined(client, name.host, name, options))


@operation
async def _examined(
    client: Client, host: str, repository: Repository | None, options: DoctorOptions
) -> Result[Diagnosis, RegistryError]:
    exam = Examination(client, host)
    page = client.notices.page()
    door = await look_at_way(exam)
    credentials = await find_credentials(client, host, repository)
    asker = await look_at_account(exam, credentials, door)
    if door is not None:
        exam.note(judge_catalog(await exam.ask(lists.list_repositories(client.origin(host), host, page_size=1))))
        if repository is not None:
            await look_at_repository(exam, repository, asker, writes=options.writes)
    exam.note(judge_quota(client.notices.quota(host)))
    exam.note(*(judge_warning(each.text) for each in client.notices.since(page, {host}).warnings))
    profile = client.profiles.of(host).name
    name = None if repository is None else str(repository)
    return Success(Diagnosis(host, str(client.origin(host)), profile, name, exam.findings))
