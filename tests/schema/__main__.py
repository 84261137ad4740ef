"""Write the schema anew, after a document has changed: `python -m tests.schema`."""

from tests.schema.made import FILE, schema

FILE.write_text(schema(), encoding="utf-8")
