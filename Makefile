# `make help` lists what there is. ARGS=… is passed on: make demo ARGS=--once, make test ARGS="-k email -x".

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh
ARGS ?=
ENGINE ?=
BIN := .venv/bin
PACKAGES := schemas connectors processors sinks hub deploy
# Two processes share the tests, which wait on sockets more than they compute.
WORKERS ?= 2
FAULTS ?= 100

export PYTHON

.PHONY: help demo setup setup-run setup-servers test slow faults bench screenshots check format lint types contracts lock-check licences docs-check \
	lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: setup-$(if $(ENGINE),servers,run)  ## the hub with a small company and mail coming in; ARGS=--once to see it end by itself, ENGINE=kafka on real servers
	@$(BIN)/hubbub demo $(if $(ENGINE),--engine $(ENGINE)) $(ARGS)

setup: ## what tests and checks need, into .venv
	@sh .ci/setup dev

setup-run:
	@sh .ci/setup run

setup-servers: setup  # the servers of the demo are among the packages of the tests

test: setup  ## the tests; those that need a browser or a server that is not here say what installs it
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

slow: setup  ## the tests of more than ten seconds
	@$(BIN)/python -m pytest -m slow --timeout 600 $(ARGS)

faults: setup  ## processes killed and power cut at FAULTS=100 moments chosen by HUBBUB_SEED; prints what was counted
	@HUBBUB_FAULTS=$(FAULTS) $(BIN)/python -m pytest -m faults -s --timeout 3600 $(ARGS)

bench: setup  ## measurements as JSON; ARGS=--short for a quick look
	@$(BIN)/python -m tests.bench $(ARGS)

screenshots: setup  ## pictures of the console into build/screenshots, beside those kept; ARGS=--keep to keep them
	@$(BIN)/python -m tests.screens $(ARGS)

check: setup lint types contracts lock-check licences docs-check  ## format, lint, types, import contracts, lock, licences, generated docs

lint:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types:
	@$(BIN)/mypy $(foreach package,$(PACKAGES),$(if $(wildcard $(package)/*),$(package))) tests .ci/*.py

contracts:
	@$(BIN)/lint-imports --no-logo

lock-check:
	@$(BIN)/python .ci/check_lock.py

licences:
	@$(BIN)/python .ci/check_licences.py

docs-check:
	@if [ -e hub/docs.py ] || [ -e hub/docs/__main__.py ]; then $(BIN)/python -m hub.docs --check; fi

format: setup  ## formats the code and repairs what the linter can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lock: ## resolves pyproject.toml into the lock files; ARGS=--upgrade takes newer versions
	@sh .ci/lock $(ARGS)

clean:  ## removes .venv and all that tools left behind
	@rm -rf .venv build dist htmlcov test-results .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
