"""How things show themselves: views register what they show for a type, and what is shown knows no view.

The package names the module whose import registers its views; it is imported when something is first shown.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal, TypeVar

Kind = Literal["card", "sentence"]
View = Callable[[Any], str]
AnyView = TypeVar("AnyView", bound=View)

_views: dict[tuple[Kind, type], View] = {}
_modules: list[str] = []


def use_views_of(module: str) -> None:
    """Import a module, which registers its views, before anything is shown."""
    _modules.append(module)


def shows(kind: Kind, cls: type) -> Callable[[AnyView], AnyView]:
    """Register a function as the view of a type: its card in a notebook (HTML), or its sentence."""

    def register(view: AnyView) -> AnyView:
        _views[kind, cls] = view
        return view

    return register


def shown(kind: Kind, thing: Any) -> str | None:
    """Return what a view shows of a thing; None where nobody registered one."""
    while _modules:
        importlib.import_module(_modules.pop())
    view = next((_views[kind, cls] for cls in type(thing).__mro__ if (kind, cls) in _views), None)
    return None if view is None else view(thing)


class Displayed:
    """What a notebook shows by the card that is registered for its type."""

    def _repr_html_(self) -> str | None:
        return shown("card", self)
