"""What README and the pages say is true: code runs, commands parse, links lead somewhere, tables are those measured."""

import ast
import importlib.util
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import typer

import noiseprune
from noiseprune import errors, gallery, plots, probes, rules, strengthenings
from noiseprune.cli import app
from noiseprune.view.plots import development

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = sorted((ROOT / "examples").glob("[0-9][0-9]_*.py"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page, language):
    return [code for found, code in FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def missing(code, folder):
    """Say what a block needs and this machine lacks; put the data that it names into the folder."""
    for node in ast.walk(ast.parse(code)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            library = "torch" if name == "noiseprune.torch" else name.partition(".")[0]
            if importlib.util.find_spec(library) is None:
                return f"{library} is not installed"
    for name in re.findall(r'read\("(\w+\.csv)"', code):
        data = os.environ.get("NOISEPRUNE_DATA")
        if not data or not (Path(data) / name).exists():
            return f"needs real data: set NOISEPRUNE_DATA to the folder that holds {name}"
        shutil.copy(Path(data) / name, folder)
    return None


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
@pytest.mark.filterwarnings("ignore::noiseprune.NoisePruneWarning")
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    """Sketches are compiled on their first run, which takes some ten seconds; later they take none."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": page.stem}
    for code in blocks(page, "python"):
        if lacking := missing(code, tmp_path):
            pytest.skip(f"the rest of {page.name}: {lacking}")
        if torch := sys.modules.get("torch"):
            torch.manual_seed(1)
        exec(compile(code, page.name, "exec"), namespace)


def test_pages_hold_no_code_that_nobody_runs():
    languages = {found for page in PAGES for found, _ in FENCE.findall(page.read_text(encoding="utf-8"))}
    assert languages <= {"", "python"}


def commands(text):
    """Each command of a block: one a line, longer ones broken by a backslash; what follows a # is said aside."""
    for line in text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            while "=" in words[0]:
                words.pop(0)  # NAME=value before the command
            yield words


def check_command(words):
    """Hold one command of a page against what there is; a command that is not known here fails."""
    first, *rest = words
    if first == "noiseprune":
        command = typer.main.get_command(app).commands[rest[0]]
        context = type(command).context_class(command, info_name=rest[0])
        command.make_parser(context).parse_args(rest[1:])
    elif first == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = [word for word in rest if "=" not in word]
        assert targets and all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    elif first == "python":
        assert (ROOT / rest[0]).is_file(), rest[0]
    elif first == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
            "optional-dependencies"
        ]
        assert set(re.findall(r"[\w-]+", "".join(re.findall(r"\[(.*?)\]", " ".join(rest))))) <= set(extras)
    else:
        raise AssertionError(f"a command that this test does not know: {' '.join(words)}")


@by_name
def test_every_command_of_a_page_exists_with_its_options(page):
    for block in blocks(page, ""):
        for words in commands(block):
            check_command(words)


@pytest.mark.parametrize(
    "line",
    [
        "noiseprune prun a.csv",
        "noiseprune prune a.csv --densty 0.5",
        "make demos",
        'pip install "noiseprune[all,none]"',
        "ls",
    ],
)
def test_a_command_that_does_not_exist_would_be_found(line):
    usage_error = typer.BadParameter.__mro__[1]  # typer may carry its own copy of click
    with pytest.raises((AssertionError, KeyError, usage_error)):
        check_command(shlex.split(line))


def anchors(page):
    """The anchors that GitHub, and our site, give the headings of a page."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_every_link_of_a_page_leads_somewhere(page):
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert ROOT in target.parents, f"{page.name}: {link} leads out of the project"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


@by_name
def test_a_page_has_one_title_and_headings_in_order(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_are_those_measured():
    done = subprocess.run(
        [sys.executable, "benchmarks/tables.py", "--check"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr


def test_every_public_name_stands_in_the_reference():
    reference = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    listed = {line.strip() for line in reference.splitlines() if line.startswith("   ") and ":" not in line}
    names = set(noiseprune.__all__) - {"__version__", "gallery", "plots", "probes", "rules", "strengthenings"}
    for module in (probes, rules, strengthenings):
        made = {name for name in module.__all__ if inspect.isclass(getattr(module, name))}
        names |= {f"{module.__name__.removeprefix('noiseprune.')}.{name}" for name in made}
    names |= {f"gallery.{name}" for name, it in vars(gallery).items() if made_in(gallery, it)} - {"gallery.generator"}
    names |= {f"plots.{name}" for name in plots.__all__}
    names |= {f"view.plots.development.{name}" for name, it in vars(development).items() if made_in(development, it)}
    names |= {
        f"errors.{name}"
        for name, it in vars(errors).items()
        if inspect.isclass(it) and it.__module__ == errors.__name__
    }
    names -= {"errors.NoisePruneError", "errors.NoisePruneWarning"}
    if importlib.util.find_spec("torch"):
        from noiseprune import torch

        names |= {f"torch.{name}" for name in torch.__all__}
    assert names <= listed, names - listed


def made_in(module, it):
    return inspect.isfunction(it) and it.__module__ == module.__name__ and not it.__name__.startswith("_")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_an_example_is_short_titled_and_ends_in_a_picture(script):
    """They are run by `make docs`."""
    text = script.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    title, line, *_ = docstring.splitlines()
    assert set(line) == {"="}
    assert len(line) == len(title)
    assert text.endswith("plt.show()\n")
    assert text.count("\n") < 60
