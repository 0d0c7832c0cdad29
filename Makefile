# Every target below sets up .venv by itself; the stamp is renewed only when the lock changes.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.complete
LOCK := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench promises lock

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

setup: $(STAMP) ## .venv with everything, from the hash-locked requirements

$(STAMP): requirements-dev.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: $(STAMP) ## sandbox, bot and page on loopback, SQLite
	$(BIN)/tierline demo

test: $(STAMP) ## the whole test suite, PostgreSQL included
	$(BIN)/pytest

check: $(STAMP) ## lint, types, import contracts, tests: the same as .ci/run
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

bench: $(STAMP) ## benchmarks, as ratios against a baseline measured in the same run
	$(BIN)/python -m benchmarks

promises: $(STAMP) ## every promise of the README at full size
	$(BIN)/pytest tests/promises --full

lock: ## regenerate the lock from pyproject.toml (UPGRADE=1 for newer versions); needs the network
	rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/pip install --quiet uv
	.lock/bin/uv $(LOCK) $(if $(UPGRADE),--upgrade) --group dev pyproject.toml -o requirements-dev.txt
	.lock/bin/uv $(LOCK) $(if $(UPGRADE),--upgrade) --constraint requirements-dev.txt --no-annotate pyproject.toml -o requirements.txt
	rm -rf .lock
