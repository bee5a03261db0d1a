"""Every trap of the vendors names a test, and the tests are there."""

import re

from tests.support.stack import ROOT

_PAGE = (ROOT / "docs" / "vendor-traps.md").read_text()
_ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def test_every_trap_has_a_test_that_exists() -> None:
    """Renaming a test shall not leave a trap without proof."""
    rows = _ROW.findall(_PAGE)
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == 58
    for number, named in rows:
        tests = re.findall(r"`([^`]+)`", named)
        assert tests, f"trap {number} has no test"
        for test in tests:
            path, _, function = test.partition("::")
            source = (ROOT / path).read_text()
            assert f"def {function}(" in source if function else "def test_" in source, test
