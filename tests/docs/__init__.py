"""The documents are tested like code: every block runs, every table is compared with what it describes."""

import pytest

pytest.register_assert_rewrite("tests.docs.reader", "tests.docs.blocks")
