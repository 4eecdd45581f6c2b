"""Damaged files never take the process down, hang, or swell: each format in a process of its own."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.test_bad_files import NEEDS
from tests.fuzzing import LARGEST, LONGEST, SPARSE, SUFFIXES

HOW_MANY = 200


@pytest.mark.parametrize("suffix", SUFFIXES + SPARSE)
def test_damaged_files_are_refused_or_read(suffix):
    """Takes seconds: a new process, and for Arrow one a file."""
    library = NEEDS.get(Path(f"x{suffix}").suffix)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"needs {library}")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing", suffix, str(HOW_MANY)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["bugs"] == []
    assert found["read"] + found["refused"] == HOW_MANY
    assert found["refused"] > HOW_MANY / 2
    assert found["longest"] < LONGEST
    assert found["peak"] < LARGEST
