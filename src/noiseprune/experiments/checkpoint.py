"""Draws that are done, kept in a file from which a sweep goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from noiseprune.errors import BadFile
from noiseprune.experiments.table import Case, key_of
from noiseprune.machine.output import replacing
from noiseprune.sources.files.metadata import from_json


class Checkpoint:
    """Draws that are done, in memory and, one JSON object a line, in a file."""

    def __init__(self, path: str | os.PathLike[str] | None, task: dict[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self.cases: dict[tuple[Any, ...], Case] = {}
        if self.path is None:
            return
        if self.path.exists():
            self._resume(self.path, task)
        else:
            try:
                self.path.write_text(json.dumps(task) + "\n", encoding="utf-8")
            except OSError as error:
                raise BadFile(f"{self.path}: cannot be written: {error.strerror}") from None

    def _resume(self, path: Path, task: dict[str, Any]) -> None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # an interrupt may have cut the last one
        try:
            found = [from_json(line) for line in whole]
        except ValueError:
            raise BadFile(f"{path}: is no checkpoint of a sweep; name another file") from None
        if not found or found[0] != task:
            raise BadFile(
                f"{path}: is the checkpoint of another sweep (other network, seed or options); name another file"
            )
        if len(whole) < len(lines):
            with replacing(path, overwrite=True) as temporary:
                temporary.write_text("".join(whole), encoding="utf-8")
        for case in found[1:]:
            self.cases[key_of(case)] = case

    def find(self, case: Case) -> Case | None:
        """Return a draw that is done."""
        return self.cases.get(key_of(case))

    def add(self, case: Case) -> None:
        """Keep a draw.

        Raises
        ------
        BadFile
            Where the file cannot be written.
        """
        self.cases[key_of(case)] = case
        if self.path is not None:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(case, allow_nan=False) + "\n")
            except OSError as error:
                raise BadFile(f"{self.path}: cannot be written: {error.strerror}") from None
