"""Docstrings say what a reader needs: every parameter of a longer signature, and every error that is raised."""

import ast
import re
from functools import cache
from pathlib import Path

import noiseprune

SOURCE = Path(noiseprune.__file__).parent
LONG = 3  # parameters from which a docstring lists them
BUILT_IN = {"TypeError", "NotImplementedError", "AssertionError", "KeyboardInterrupt", "Exit", "ValueError"}


@cache
def trees():
    """The syntax tree of every module, by its path."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def methods(node):
    """The functions in the body of a class or module, by their names."""
    return {function.name: function for function in node.body if isinstance(function, ast.FunctionDef)}


def public_functions():
    """Each public function and method: its place, its node, and the docstrings that may speak for it."""
    for module, tree in trees().items():
        if module.startswith("cli/"):
            continue  # typer reads their help from the options
        for node in tree.body:
            inherits = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
            for function in methods(node).values() if inherits else [node]:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    contracts = contracts_of(module, node) if inherits else []
                    speaking = [function, *(own[function.name] for own in contracts if function.name in own)]
                    docs = [ast.get_docstring(one) or "" for one in speaking]
                    yield f"{module}:{function.lineno} {function.name}", function, docs


# --- contracts --------------------------------------------------------------------------------------------------------


def contracts_of(module, node):
    """The methods of each class of ours that a class derives from, or whose protocol it fulfils."""
    bases = []
    for base in node.bases:
        found = class_named(module, base.id) if isinstance(base, ast.Name) else None
        if found:
            bases += [methods(found[1]), *contracts_of(*found)]
    return bases + [protocol for protocol in protocols() if fulfils(methods(node), protocol)]


def class_named(module, name):
    """A class of ours by the name that a module knows it under, and its module; None where it is somebody else's."""
    for node in trees()[module].body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("noiseprune"):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    path = "/".join((node.module or "").split(".")[1:])
                    there = next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in trees()), None)
                    return there and class_named(there, alias.name)
    return None


@cache
def protocols():
    """The methods of each protocol of ours."""
    classes = [node for tree in trees().values() for node in tree.body if isinstance(node, ast.ClassDef)]
    return [
        methods(node)
        for node in classes
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases) and methods(node)
    ]


def fulfils(own, protocol):
    """Whether a class has every method of a protocol, under the same names of parameters."""
    return all(name in own and parameters(own[name]) == parameters(function) for name, function in protocol.items())


# --- what is asked, and what is said ----------------------------------------------------------------------------------


def parameters(function):
    given = function.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [f"{a.arg}" for a in (given.vararg, given.kwarg) if a]
    return [name for name in names if name not in ("self", "cls")]


def section(text, title):
    """The lines under a heading of NumPy's style."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n---|\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def listed(text, title):
    """Names that a section lists: the entries, not what is said of them."""
    names = set()
    for line in section(text, title).splitlines():
        if line and not line[0].isspace():
            names |= {name.strip(" *`") for name in line.partition(" :")[0].split(",")}
    return names


@cache
def makers():
    """Functions that return an error of ours for somebody to raise: the name of the error by that of the function."""
    ours = {node.name for node in trees()["errors.py"].body if isinstance(node, ast.ClassDef)}
    every = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    named = {function.name: function.returns.id for function in every if isinstance(function.returns, ast.Name)}
    return {name: error for name, error in named.items() if error in ours}


def raised(function):
    """Names of the errors that a function raises itself."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            called = node.exc.func
            name = called.id if isinstance(called, ast.Name) else called.attr
            found.add(makers().get(name, name))
    return found - BUILT_IN


def missing(names, docs, title):
    """The names that no docstring lists, in the order of the names."""
    said = set().union(*(listed(text, title) for text in docs))
    return [name for name in names if name not in said]


def test_long_signatures_are_explained_parameter_by_parameter():
    bad = []
    for place, function, docs in public_functions():
        names = parameters(function)
        unsaid = missing(names, docs, "Parameters")
        if len(names) >= LONG and unsaid:
            bad.append(f"{place}: {', '.join(unsaid)}")
    assert not bad, "\n" + "\n".join(bad)


def test_errors_that_are_raised_are_listed():
    bad = []
    for place, function, docs in public_functions():
        unsaid = missing(sorted(raised(function)), docs, "Raises")
        if unsaid:
            bad.append(f"{place}: {', '.join(unsaid)}")
    assert not bad, "\n" + "\n".join(bad)
