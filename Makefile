# Everything sets itself up: a virtual environment in .venv, and Debian packages where they are missing.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
MODEL  ?= examples/digits/digits_int8.tflite
BOARD  ?= m7
JOBS   ?= $(shell nproc 2>/dev/null || echo 1)
UNIT_TESTS := $(addprefix tests/,unit architecture frontend passes lowering support)
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup tools demo test test-long check lint unit format docs bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: tools $(STAMP) ## Install what is missing: Debian packages, .venv

tools:
	@scripts/install_debian_packages

$(STAMP): pyproject.toml scripts/create_venv | tools
	@scripts/create_venv $(VENV)
	@touch $@

demo: setup ## Build a real model for a Cortex-M7, prove it exact on QEMU, measure it
	$(BIN)/tinycompile build $(MODEL) --board $(BOARD)
	$(BIN)/tinycompile verify $(MODEL) --board $(BOARD)
	$(BIN)/tinycompile bench $(MODEL) --board $(BOARD) --layers

test: setup ## Run the whole test suite, long sweeps apart
	$(PYTEST)

test-long: setup ## Run the whole test suite with the long sweeps
	$(PYTEST) --long

check: lint unit ## Lint, types, import contracts, unit tests: under a minute

lint: setup ## ruff, mypy --strict, import contracts, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files 'runtime_c/*.[ch]' 'boards/*.[ch]' 'examples/*.[ch]' | xargs -r $(BIN)/clang-format --dry-run --Werror

unit: setup
	$(PYTEST) -q -m "not slow and not models and not qemu" $(UNIT_TESTS)

format: setup ## Format Python and C, mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files 'runtime_c/*.[ch]' 'boards/*.[ch]' 'examples/*.[ch]' | xargs -r $(BIN)/clang-format -i

docs: setup ## Write the generated documents again
	$(BIN)/tinycompile ops --markdown > docs/supported-operators.md

bench: setup ## Measure real models beside bars and peers (BENCH="--only speed", "--markdown", ...)
	$(BIN)/python -m benchmarks --json build/benchmarks.json $(BENCH)

clean: ## Remove what the build and the tests left, and .venv
	rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
