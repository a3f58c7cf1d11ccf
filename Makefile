# make compare            which representation serves the built-in photographs (DATA=folder: yours)
# make test               everything that proves it works; sets itself up
# make docs               the documentation, its gallery drawn anew, in build/docs

PYTHON ?= python3
VENV   ?= .venv
OUT    ?= report
BIN    := $(VENV)/bin

# A thread a process: two processes whose threads wait for each other take ten times as long.
test slow shapes: export OMP_NUM_THREADS := 1
PYTEST := $(BIN)/pytest -q -n 2 --dist worksteal

NATIVE := setup.py $(wildcard src/imrep/_native/*.[ch])

.PHONY: help install native compare test lint slow shapes docs bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

$(VENV)/created:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	@touch $@

$(VENV)/installed: pyproject.toml $(NATIVE) | $(VENV)/created
	$(BIN)/pip install --quiet --editable '.[all]'
	@$(BIN)/python -m imrep._native
	@touch $@

# One run of pip for both: it resolves everything once.
$(VENV)/developed: pyproject.toml $(NATIVE) | $(VENV)/created
	$(BIN)/pip install --quiet --editable '.[all]' --group dev --group docs
	@$(BIN)/python -m imrep._native
	@touch $(VENV)/installed $@

install: $(VENV)/installed

# The C kernels alone, once a compiler or a header has been added.
native:
	$(BIN)/pip install --quiet --no-deps --force-reinstall --editable .
	@$(BIN)/python -m imrep._native

compare: $(VENV)/installed
	$(BIN)/imrep compare $(DATA) --out $(OUT)

test: lint $(VENV)/developed
	$(PYTEST)

lint: $(VENV)/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/clang-format --dry-run -Werror src/imrep/_native/*.[ch] tests/unit/*.c

# Over five seconds each: kill tests, false-alarm rates, large sets, the default compiler.
slow: $(VENV)/developed
	$(PYTEST) --durations=15 -m "slow and not gpu and not network"

# The shapes in annotations, checked while the contract runs.
shapes: $(VENV)/developed
	$(PYTEST) --jaxtyping-packages=imrep.base,imrep.codes,imrep.represent,beartype.beartype -m "not gpu and not network" tests/contract tests/represent

# Some minutes: every representation on three photographs. `mkdocs serve` shows it while you write.
docs: $(VENV)/developed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo build/docs/index.html

# Beside the peers, one script after the other; some minutes each, on a quiet machine.
bench: $(VENV)/developed
	$(BIN)/pip install --quiet --group bench
	@failed=0; for script in benchmarks/*_speed.py; do echo "== $$script"; \
	  $(BIN)/python $$script || failed=1; done; exit $$failed

clean:
	rm -rf $(VENV) $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
