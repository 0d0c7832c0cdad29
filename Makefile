# Every target below sets up .venv by itself, with what it runs and no more; a stamp is renewed only when its lock changes.

PYTHON ?= python3
BIN := .venv/bin
DEMO := .venv/.demo
STAMP := .venv/.complete
# One worker more than cores: now and then one waits for a process, a lease or a page; with a second one it is no faster.
PYTEST := $(BIN)/pytest --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --maxprocesses 8 --dist load --maxschedchunk 1
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# uv is much faster than pip but reads no pip.conf: it is told pip's index, and where it cannot install, pip does the same.
INDEX = $${PIP_INDEX_URL:-$$($(BIN)/pip config get install.index-url 2>/dev/null || $(BIN)/pip config get global.index-url 2>/dev/null)}
INSTALL = index=$(INDEX); env $${index:+UV_DEFAULT_INDEX="$$index"} \
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(1) || $(BIN)/pip install --quiet $(1)
export UV_HTTP_RETRIES ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check bench promises lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(STAMP) ## .venv with everything, from the hash-locked requirements

$(DEMO): requirements-install.txt requirements.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --no-compile --require-hashes -r requirements-install.txt
	@$(call INSTALL,--require-hashes -r requirements.txt)
	@$(call INSTALL,--no-deps --no-build-isolation --no-index -e .)
	@touch $@

$(STAMP): requirements-dev.txt $(DEMO)
	@if [ -e $@ ]; then rm $@ $(DEMO) && $(MAKE) $(DEMO); fi # a lock that changed starts over: what it no longer names has to go
	@$(call INSTALL,--require-hashes -r requirements-dev.txt)
	@touch $@

demo: $(DEMO) ## sandbox, bot and page on loopback, SQLite
	$(BIN)/tierline demo

test: $(STAMP) ## the whole test suite on all cores, PostgreSQL and browser included
	$(PYTEST)

test-fast: $(STAMP) ## within a minute: what asks for no database, server, process or browser
	$(PYTEST) -m fast

check: $(STAMP) ## lint, types, import contracts, tests: the same as .ci/run
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) --durations=25

bench: $(STAMP) ## benchmarks, as ratios against a baseline measured in the same run
	$(BIN)/python -m benchmarks

promises: $(STAMP) ## every promise of the README at full size
	$(PYTEST) tests/promises --full

lock: ## regenerate the locks from pyproject.toml (UPGRADE=1 for newer versions); needs the network
	rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/pip install --quiet uv
	.lock/bin/$(LOCK) --group dev pyproject.toml -o requirements-dev.txt
	.lock/bin/$(LOCK) --constraint requirements-dev.txt --no-annotate pyproject.toml -o requirements.txt
	.lock/bin/$(LOCK) --constraint requirements-dev.txt --no-annotate --group install -o requirements-install.txt
	rm -rf .lock
