# `make demo` and `make test` set themselves up in .venv; nothing but Python (3.11 or newer) and make is needed.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
.PHONY: demo test bench clean

demo: $(VENV)/.ready
	$(BIN)/noiseprune demo --overwrite

test: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/all.py

# torch comes first and alone, so that nothing pulls in another one. On Linux pip's default wheel brings gigabytes of CUDA:
# TORCH_FROM="--index-url https://download.pytorch.org/whl/cpu" takes the CPU build.
TORCH_FROM ?=
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(TORCH_FROM) torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -c "open('$(VENV)/.ready', 'w').close()"

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
