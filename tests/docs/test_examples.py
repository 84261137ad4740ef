"""The programs in `tests/examples` do what they say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from registry_fp import connect, head_manifest, list_repositories, list_tags, unwrap
from registry_fp.testing import Answer, EmbeddedRegistry, Fault, running_registry, sample_image, write_docker_save
from tests.examples import service

EXAMPLES = Path(service.__file__).parent


async def test_many_images_pushes_what_it_can_and_says_what_it_could_not(
    folder: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """One broken archive does not keep the others back, and the exit code tells of it."""
    (folder / "broken.tar").write_bytes(b"no tar " * 100)
    done = _run("many_images.py", str(folder), f"{embedded_registry.host}/mirror")
    assert done.returncode == 65, done.stderr
    assert "broken.tar: TarUnreadable" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    async with connect() as client:
        assert await unwrap(list_repositories(client, embedded_registry.host)) == (
            "mirror/library/app",
            "mirror/team/worker",
        )


async def test_own_pipeline_pushes_and_gives_a_second_tag(folder: Path, embedded_registry: EmbeddedRegistry) -> None:
    """Both names stand for the same manifest."""
    names = [f"{embedded_registry.host}/team/app:{tag}" for tag in ("1.4", "stable")]
    done = _run("own_pipeline.py", str(folder / "app.tar"), *names)
    assert done.returncode == 0, done.stderr
    async with connect() as client:
        one, two = [await unwrap(head_manifest(client, name)) for name in names]
    assert one.digest == two.digest
    assert str(one.digest) in done.stdout


async def test_own_pipeline_sends_nothing_of_an_image_that_runs_as_root(
    folder: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """The first joint fails, so the others do not run."""
    image = sample_image("app:1.0", mebibytes=1)
    root = replace(image, config=image.config.replace(b'"User":"app"', b'"User":"0"'))
    archive = write_docker_save(folder / "root.tar", root).path
    done = _run("own_pipeline.py", str(archive), f"{embedded_registry.host}/app:1", f"{embedded_registry.host}/app:2")
    assert (done.returncode, done.stdout) == (76, "")
    assert "not supported: an image that runs as root" in done.stderr
    assert embedded_registry.counts().requests == 0


async def test_the_service_pushes_with_one_client_and_answers_failures(folder: Path) -> None:
    """Two pushes in its life, and what went wrong as a status that says whose fault it is."""
    with running_registry() as registry:
        async with TestClient(TestServer(service.application(folder))) as caller:
            target = f"{registry.host}/team/app:1.4"
            for _ in range(2):
                answer = await caller.post("/push", json={"archive": "app.tar", "to": target})
                assert answer.status == 200, await answer.text()
                assert (await answer.json())["reference"] == target
            for order, status in (
                ({"archive": "app.tar"}, 400),
                ({"archive": "app.tar", "to": "Not/A/Name"}, 422),
                ({"archive": "none.tar", "to": target}, 404),
            ):
                assert (await caller.post("/push", json=order)).status == status
            registry.set_faults(Fault(Answer(403), method="POST"))
            denied = await caller.post("/push", json={"archive": "worker.tar", "to": target})
            assert (denied.status, "Denied" in (await denied.json())["error"]) == (403, True)
        async with connect() as client:
            assert await unwrap(list_tags(client, f"{registry.host}/team/app")) == ("1.4",)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("[a-z]*.py")))
def test_every_example_says_how_it_is_run(name: str) -> None:
    """In its first lines, so that nobody has to read it for that."""
    heading = (EXAMPLES / name).read_text(encoding="utf-8").partition('"""\n\n')[0]
    assert f"python {name}" in heading or f"python -m tests.examples.{name.removesuffix('.py')}" in heading


def _run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
