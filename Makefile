# The front door: people, hooks and CI call the same targets. Needs make and Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
BIN := $(VENV)/bin
TEST_WORKERS ?= 2
TESTS ?=
ONCE ?=
BUNDLES := src/authpipe/packages/bundles/lodash.js
BUNDLE_INPUTS := $(wildcard src/authpipe/packages/*.py src/authpipe/packages/*.json src/authpipe/packages/*.lock src/authpipe/packages/entries/*)
GENERATED := ARCHITECTURE.md $(shell find docs -name '*.md' 2>/dev/null)
WORKER := src/authpipe/runtime/worker
FUNCTION_API := $(wildcard docs/reference/function-api.d.ts)
COG := $(BIN)/cog -I tools -P --verbosity=1

.PHONY: help setup demo test lint lint-format lint-style lint-types lint-layers lint-generated lint-worker \
	docs bench soak fuzz wheel notices release-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.tools $(BUNDLES) ## make .venv with everything in it (no root needed)

demo: $(VENV)/.package $(BUNDLES) ## run the main job on an empty database; ONCE=1 to exit afterwards
	@$(BIN)/python tools/demo.py $(if $(ONCE),--once)

test: setup ## run every test this machine allows; TESTS=path for some
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile -rs $(TESTS)

lint: setup ## formatting, style, types, layers, generated pages, worker program
	@$(MAKE) -k -j2 --output-sync=target lint-format lint-style lint-types lint-layers lint-generated lint-worker

lint-format:
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }; echo "format: ok"

lint-style:
	@$(BIN)/ruff check --quiet .; echo "style: ok"

lint-types:
	@$(BIN)/mypy --no-error-summary; echo "types: ok"

lint-layers:
	@$(BIN)/lint-imports --no-cache; echo "layers: ok"

lint-generated:
	@said=$$($(COG) --check $(GENERATED) 2>&1) || \
	{ echo "$$said" | grep -v '^Checking [^ ]*$$'; echo "run: make docs"; exit 1; }
	@$(BIN)/python tools/notices.py --check; echo "generated pages: ok"

lint-worker:
	@DENO_NO_UPDATE_CHECK=1 NO_COLOR=1 $(BIN)/deno check --quiet $(WORKER)/main.js $(FUNCTION_API); echo "worker program: ok"

docs: setup ## rewrite the generated tables, then check links and run the examples
	@$(COG) -r $(GENERATED)
	@$(BIN)/python -m pytest tests/docs

bench: setup ## measure speed and memory; QUICK=1 for tiny iterations
	@if [ -e benchmarks/suite.py ]; then $(BIN)/python benchmarks/suite.py $(if $(QUICK),--quick); \
	else echo "bench will measure every row of the budget table; benchmarks/suite.py is not there yet"; fi

soak: setup ## hours of mixed load, watching memory, descriptors and processes
	@if [ -e benchmarks/soak.py ]; then $(BIN)/python benchmarks/soak.py; \
	else echo "soak will run mixed load for hours and watch memory, descriptors and processes; it is not there yet"; fi

fuzz: setup ## hypothesis and schemathesis with many more examples than make test
	@if [ -d tests/fuzz ]; then AUTHPIPE_TEST_EXAMPLES=10000 $(BIN)/python -m pytest tests/fuzz; \
	else echo "fuzz will drive frames, bodies and the HTTP API with generated input for long; tests/fuzz is not there yet"; fi

wheel: setup ## build dist/*.whl with the bundles inside
	@rm -rf dist; said=$$($(BIN)/python -m build --wheel --outdir dist . 2>&1) || { echo "$$said"; exit 1; }; ls dist

notices: setup ## rewrite THIRD_PARTY_NOTICES.md
	@$(BIN)/python tools/notices.py

release-check: setup wheel ## changelog, version and tag agree; the wheel works in a fresh environment
	@$(BIN)/python tools/release_check.py
	@$(BIN)/python -m pytest tests/acceptance tests/storage

clean: ## remove .venv, .demo, caches and built files
	@rm -rf $(VENV) .demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis src/authpipe/packages/bundles

$(BIN)/python:
	@bash tools/make_venv $(VENV)

$(VENV)/.package: pyproject.toml | $(BIN)/python
	@echo "installing authpipe and what it needs into $(VENV)"
	@$(BIN)/python -m pip install -qq --editable .
	@touch $@

$(VENV)/.tools: pyproject.toml $(VENV)/.package
	@echo "installing the development tools into $(VENV)"
	@$(BIN)/python -m pip install -qq --group dev
	@touch $@

$(BUNDLES): $(VENV)/.package $(BUNDLE_INPUTS)
	@echo "bundling the npm packages functions may require"
	@$(BIN)/python -m authpipe.packages.build
	@touch $@
