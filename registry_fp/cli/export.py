"""Exporting: the file system of an image, as one tar."""

from __future__ import annotations

from dataclasses import asdict

from registry_fp import Client, Exported, Op, export_files
from registry_fp.cli.answer import Answer
from registry_fp.cli.exported_document import ExportedDocument
from registry_fp.cli.files import ImageChoice
from registry_fp.cli.inspection import registry_of, source_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.printable import printable
from registry_fp.cli.session import Question, ask

__all__ = ["export_image"]


def export_image(choice: ImageChoice, path: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Write the files of an image to a path, and name that."""

    def put(client: Client) -> Op[Exported]:
        noun = source_of(choice.noun, choice.image) or choice.noun
        return export_files(client, noun, path, platform=choice.platform)

    def answer(exported: Exported) -> Answer:
        document = ExportedDocument(exported.name, exported.path, exported.entries, exported.size)
        return Answer(document, printable(path), printable(path), ({"event": "exported", **asdict(document)},))

    host = registry_of("export_files", choice.noun, choice.image)
    return ask(Question("export_files", choice.noun, host, put), answer, remote, show)
