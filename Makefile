# `make run` and `make test` need Python 3.11 or newer and make; everything else comes by hash from uv.lock.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
export UV_PYTHON_DOWNLOADS = never
export UV_PROJECT_ENVIRONMENT = $(VENV)
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check faults faults-long bench lint types imports format sbom clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: $(VENV)/.runtime ## start Mostrador on http://127.0.0.1:8003
	@exec $(BIN)/mostrador serve

test: check ## everything: format, lint, types, import contracts, tests
	$(BIN)/pytest

check: lint types imports

lint: $(VENV)/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.development
	$(BIN)/mypy

imports: $(VENV)/.development
	$(BIN)/lint-imports

faults: $(VENV)/.development ## kill, cut off, confuse and overload the real processes; figures in build/faults.md
	@$(BIN)/python -m tests.faults.figures clear
	@status=0; $(BIN)/pytest -n 2 -m faults tests/faults || status=$$?; $(BIN)/python -m tests.faults.figures; exit $$status

faults-long: $(VENV)/.development ## the faults that take long, and the soak
	@status=0; $(BIN)/pytest -n 0 -m faults_long tests/faults || status=$$?; $(BIN)/python -m tests.faults.figures; exit $$status

bench: $(VENV)/.development ## measure the message path beside its floor
	$(BIN)/python -m tests.bench

format: $(VENV)/.development ## apply the formatter and the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sbom: $(VENV)/.development ## list what the product is made of in build/sbom.json (CycloneDX 1.5)
	@mkdir -p build
	$(UV) export --quiet --locked --no-default-groups --preview-features sbom-export --format cyclonedx1.5 --output-file build/sbom.json

clean: ## remove the environment and caches; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(UV): .ci/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mostrador needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r .ci/uv.txt
	@touch $(UV)

$(VENV)/.runtime: $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --locked --no-default-groups --inexact --compile-bytecode
	@touch $@

$(VENV)/.development: $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --locked --compile-bytecode
	@touch $@ $(VENV)/.runtime
