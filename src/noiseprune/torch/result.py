"""What `prune_` returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class PrunedModule(Mapping[str, Any]):
    """What was done to a module, by key: ``info["density"]``; the keys are those that `prune_` lists.

    Parameters
    ----------
    found : dict
        By key.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def __getitem__(self, key: str) -> Any:
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        density, masks = self["density"], self["masks"]
        kept = "nothing to prune" if density is None else f"density {density:.4g} of {', '.join(masks)}"
        return f"PrunedModule({kept}; {self['selection']}; seed {self['seed']})"

    def to_dict(self) -> dict[str, Any]:
        """Return everything under the same keys, fit for strict JSON: masks and errors of the drive as nested lists."""
        lists = {
            name: {path: values.tolist() for path, values in self[name].items()} for name in ("masks", "drive_error")
        }
        return {**self._found, **lists}
