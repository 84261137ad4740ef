"""What the tests of the doctor share: an examination, what was found by topic, and a census of what a registry has."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

from registry_fp import Client, Diagnosis, DoctorOptions, Finding, Topic, Verdict, doctor, unwrap
from tests.copy import made

__all__ = ["census", "examined", "files", "found", "seen", "stocked"]


async def examined(client: Client, place: str, *, writes: bool = True) -> Diagnosis:
    """A diagnosis, which keeps what every diagnosis promises: whatever is not well has a hint."""
    diagnosis = await unwrap(doctor(client, place, options=DoctorOptions(writes=writes)))
    assert [each for each in diagnosis.findings if each.verdict == "no" and not each.hint] == []
    assert {each for each in diagnosis.ills if each.verdict != "no"} == set()
    return diagnosis


def found(diagnosis: Diagnosis, topic: Topic) -> Finding:
    """The one finding on a topic."""
    [finding] = diagnosis.about(topic)
    return finding


def seen(diagnosis: Diagnosis) -> dict[Topic, Verdict]:
    """What was found on each topic, as far as there is no doubt about it."""
    return {each.topic: each.verdict for each in diagnosis.findings}


def stocked(host: str) -> str:
    """A repository with an image that has a tag."""
    made.put(host, "team/app", made.image(made.layer("stock")), "1.0")
    return f"{host}/team/app"


def files(root: Path) -> dict[str, bytes]:
    """Every file of a registry's folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def census(host: str, headers: dict[str, str] | None = None) -> dict[str, object]:
    """What a registry says that it has: its repositories, and their tags."""
    return dict(_listed(host, headers or {}))


def _listed(host: str, headers: dict[str, str]) -> Iterator[tuple[str, object]]:
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        names = _asked(connection, "/v2/_catalog", headers)["repositories"]
        yield "repositories", names
        assert isinstance(names, list)
        for name in names:
            yield name, _asked(connection, f"/v2/{name}/tags/list", headers)
    finally:
        connection.close()


def _asked(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> dict[str, object]:
    connection.request("GET", path, headers=headers)
    answer = json.loads(connection.getresponse().read())
    assert isinstance(answer, dict)
    return answer
