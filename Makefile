# `make demo` and `make test` set themselves up in .venv; nothing but Python (3.11 or newer) and make is needed.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
.PHONY: demo test docs links bench clean

demo: $(VENV)/.ready$(TORCH)
	$(BIN)/noiseprune demo --overwrite

test: $(VENV)/.ready$(TORCH)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n 2 --dist loadfile

# The site, in docs/_build. With TORCH=1 also the pages and the example that need PyTorch.
docs: $(VENV)/.docs$(TORCH)
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build

# Links to other sites; those inside are held by the tests.
links: $(VENV)/.docs$(TORCH)
	$(BIN)/sphinx-build -q -b linkcheck -D plot_gallery=False docs docs/_build/links

bench: $(VENV)/.ready$(TORCH)
	$(BIN)/python benchmarks/all.py

# TORCH=1 brings PyTorch, first and alone, so that nothing pulls in another one; without it its tests are skipped. On Linux
# pip's default wheel brings gigabytes of CUDA: TORCH_FROM="--index-url https://download.pytorch.org/whl/cpu" does not.
TORCH_FROM ?=
$(VENV)/.ready$(TORCH): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
ifdef TORCH
	$(BIN)/python -m pip install --quiet $(TORCH_FROM) --constraint constraints.txt torch
endif
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -c "open('$@', 'w').close()"

$(VENV)/.docs$(TORCH): $(VENV)/.ready$(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	$(BIN)/python -c "open('$@', 'w').close()"

clean:
	rm -rf docs/_build docs/gallery docs/generated
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
