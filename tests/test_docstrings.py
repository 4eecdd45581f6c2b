"""Docstrings say what a reader needs: every parameter of a longer signature, and every error that is raised."""

import ast
import re
from pathlib import Path

import noiseprune

SOURCE = Path(noiseprune.__file__).parent
LONG = 3  # parameters from which a docstring lists them


def public_functions():
    """Each public function and method: its place, its node."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE).as_posix()
        if module.startswith("cli/"):
            continue  # typer reads their help from the options
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            inside = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
            for function in inside:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    yield f"{module}:{function.lineno} {function.name}", function


def parameters(function):
    given = function.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [f"{a.arg}" for a in (given.vararg, given.kwarg) if a]
    return [name for name in names if name not in ("self", "cls")]


def section(text, title):
    """The lines under a heading of NumPy's style."""
    found = re.search(rf"^ *{title}\n *-+\n(.*?)(?=^ *\w[\w ]*\n *---|\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def listed(text):
    """Names that a section of parameters lists, also where it defers to another function's list."""
    names = set()
    for line in section(text, "Parameters").splitlines():
        head = line.strip().partition(" :")[0]
        names |= {name.strip(" *`") for name in head.split(",")}
    return names


def raised(function):
    """Names of the errors that a function raises itself."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            found.add(node.exc.func.id)
    return found - {"TypeError", "NotImplementedError", "AssertionError", "KeyboardInterrupt", "Exit", "ValueError"}


def test_long_signatures_are_explained_parameter_by_parameter():
    bad = []
    for place, function in public_functions():
        names = parameters(function)
        missing = [name for name in names if name not in listed(ast.get_docstring(function) or "")]
        if len(names) >= LONG and missing:
            bad.append(f"{place}: {', '.join(missing)}")
    assert not bad, "\n" + "\n".join(bad)


def test_errors_that_are_raised_are_listed():
    bad = []
    for place, function in public_functions():
        missing = [
            name for name in raised(function) if name not in section(ast.get_docstring(function) or "", "Raises")
        ]
        if missing:
            bad.append(f"{place}: {', '.join(missing)}")
    assert not bad, "\n" + "\n".join(bad)
