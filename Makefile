# make demo   the main job on images that everybody has; needs Python 3.11 and pip, sets up the rest
# make test   all tests; those that need torch or ../shared/data are skipped where it is absent
#
# Every target sets up what it needs in .venv, once, and works alone in a fresh clone. On a machine without
# Debian's python3-venv, pip makes the environment whole. PYTHON=... names an interpreter, VENV=... another place.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e
KERNELS := src/spectell/compiled/kernels.c
PAGES := $(wildcard tests/test_docs.py tests/*/test_documentation.py tests/*/test_*_page.py)

.PHONY: help venv demo test torch lint types docs bench model clean
.DELETE_ON_ERROR:

help:
	@echo "make demo | test | lint | types | docs | bench | model | torch | venv | clean"

# What is set up is marked by files in the environment, made anew when what is declared changes.
venv: $(VENV)/.base

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Spectell needs Python 3.11 or later: install it, or name one with PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
		rm -rf $(VENV) && \
		$(PYTHON) -m venv --without-pip $(VENV) && \
		$(PYTHON) -m pip --disable-pip-version-check --python $(VENV)/bin/python install --quiet pip; } || { \
		rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.base: $(BIN)/python pyproject.toml hatch_build.py $(KERNELS) constraints.txt
	@echo "Installing Spectell into $(VENV)"
	@$(INSTALL) .
	@touch $@

$(VENV)/.test: $(VENV)/.base
	@echo "Installing what the tests need"
	@$(INSTALL) '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.base
	@echo "Installing what the checks need"
	@$(INSTALL) '.[test,lint]'
	@touch $@

$(VENV)/.torch: $(VENV)/.base
	@echo "Installing torch"
	@$(INSTALL) '.[torch]'
	@touch $@

# Networks and generators; the tests that need torch run from then on.
torch: $(VENV)/.torch

demo: $(VENV)/.base
	$(BIN)/spectell demo

test: $(VENV)/.test
	$(BIN)/python -m pytest

lint: $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell src tests docs recipes benchmarks .ci Makefile pyproject.toml $(wildcard *.md *.cff)
	$(BIN)/lint-imports

types: $(VENV)/.lint
	$(BIN)/mypy

# The examples on every page run, the links lead somewhere, and the list of commands is complete.
docs: $(VENV)/.test
	$(BIN)/python -m pytest $(PAGES)

# Ratios within one run; needs a quiet machine.
bench: $(VENV)/.base
	$(BIN)/python -m benchmarks

# The default model, from the images in DATA.
model: $(VENV)/.torch
	$(BIN)/python -m recipes.default_model $(DATA)

clean:
	rm -f src/spectell/compiled/libkernels.*
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
