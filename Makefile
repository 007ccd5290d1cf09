# `make run` and `make test` are all a newcomer needs; each sets up what it uses, once. `make` lists the rest.

HOST ?= 127.0.0.1
PORT ?= 8000
# Which Python makes the virtual environment. Left alone, the first one of these that is new enough.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
PAGE := web/node_modules
# A Node on PATH serves if it is new enough for the type checker and `node --test`; else PyPI's is installed.
NODE_ON_PATH := $(shell command -v npm >/dev/null && \
	node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null && echo yes)
ifeq ($(NODE_ON_PATH),yes)
NPM := npm --prefix web
NODE_SETUP :=
else
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web
NODE_SETUP := $(VENV)/.node
endif

.DEFAULT_GOAL := help
.PHONY: help run test lint conformance format lock load bench sweep storm stalled crashes faults fuzz flood scroll audit appends cost page hour clean FORCE
# A recipe that fails halfway leaves no stamp behind that says it is done.
.DELETE_ON_ERROR:

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.ready $(PAGE)/.ready ## Serve the chat at http://127.0.0.1:8000/ (HOST=… and PORT=… change that).
	@exec $(BIN)/uvicorn chat.main:app --host $(HOST) --port $(PORT)

test: lint ## Run everything a change must pass: lint, types, layers, page tests, Python tests, coverage.
	@$(NPM) test --silent
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder --cov --cov-report=term-missing:skip-covered

lint: $(VENV)/.ready $(PAGE)/.ready ## Run the linters, the type checkers and the layer contracts only.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(NPM) run --silent typecheck

conformance: $(VENV)/.ready ## Put the rules of the actor runtime to it and to bare Pykka, and print the table.
	@$(BIN)/python -m tests.actors.runtime.test_conformance

format: $(VENV)/.ready ## Format the Python code and make the repairs that ruff can make.
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

load: $(VENV)/.ready ## Open Locust's page for a load test of a server that runs.
	@exec $(BIN)/locust -f loadtests/

bench: $(VENV)/.ready ## Measure fan-out beside servers that do nothing but send on (BENCH="--help"). Writes build/bench.svg.
	@exec $(BIN)/python -m loadtests._bench $(BENCH)

sweep: $(VENV)/.ready ## Measure where fan-out bends: members, rates, rooms, connections (SWEEP="--help"). Writes build/sweep.svg.
	@exec $(BIN)/python -m loadtests._sweep $(SWEEP)

storm: $(VENV)/.ready ## Have 10,000 clients lose their connections at once and resume, and check what they got (STORM="--help").
	@exec $(BIN)/python -m loadtests._comeback $(STORM)

stalled: $(VENV)/.ready ## Have 200 of 1,000 members stop reading, and measure what others notice (STALLED="--help").
	@exec $(BIN)/python -m loadtests._stalled $(STALLED)

crashes: $(VENV)/.ready ## Have rooms crash under load, and check that nobody lost anything (CRASHES="--help").
	@exec $(BIN)/python -m loadtests._crashes $(CRASHES)

# Versions stay as they are where the new requirements allow it; `make lock LOCK=--upgrade` takes the newest.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate
lock: $(VENV)/.ready $(NODE_SETUP) ## Write the lock files anew, after a change of pyproject.toml or web/package.json.
	@$(COMPILE) $(LOCK) --all-extras pyproject.toml -o requirements.lock
	@$(COMPILE) $(LOCK) --group pyproject.toml:node -o requirements-node.lock
	@$(NPM) install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --silent

appends: $(VENV)/.ready ## Measure what acknowledging costs, beside bare SQLite; and a room of a million messages.
	@$(BIN)/python -m tests.chat.log.cost

faults: $(VENV)/.ready ## Kill, stop, starve, unplug the server, and check that nothing is lost (FAULTS="--help").
	@$(BIN)/python -m loadtests._faults $(FAULTS)
	@$(BIN)/python -m tests.chat.log.power_cut --cuts 1000

fuzz: $(VENV)/.ready ## Send a server a million frames that it must not be sent, and see that nobody notices (FUZZ="--help").
	@exec $(BIN)/python -m loadtests._fuzz $(FUZZ)

scroll: $(VENV)/.ready $(PAGE)/.ready ## Scroll through a room of 50,000 messages in Chromium, up and down: frames, memory (SCROLL="--help").
	@exec $(BIN)/python -m tests.e2e.long_scroll $(SCROLL)

hour: $(VENV)/.ready $(PAGE)/.ready ## Have five browsers chat for an hour over a bad network, and compare them (HOUR="--help").
	@exec $(BIN)/python -m tests.e2e.hour $(HOUR)

flood: $(VENV)/.ready ## Have one client send as fast as it can, and see how long the others wait (FLOOD="--help").
	@exec $(BIN)/python -m loadtests._flood $(FLOOD)

# All that is asked runs, and then the command fails if any of it did.
audit: $(VENV)/.ready $(PAGE)/.ready ## Ask for known vulnerabilities in what is locked, and write build/sbom.json (CycloneDX).
	@mkdir -p build
	@$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
		--of JSON -o build/sbom.json
	@npm_ok=0; pip_ok=0; \
	$(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict --progress-spinner off || pip_ok=1; \
	$(NPM) audit || npm_ok=1; \
	exit $$((npm_ok + pip_ok))

cost: $(VENV)/.ready ## Measure what supervision costs: tells per second, memory of an actor.
	@$(BIN)/python -m tests.actors.runtime.cost

page: $(VENV)/.ready $(PAGE)/.ready ## Print what the page is on the wire, file by file, and how soon there is something to see.
	@$(BIN)/python -m tests.e2e.cost

clean: ## Remove all that these commands made, the virtual environment included.
	rm -rf $(VENV) $(PAGE) web/static/vendor build dist htmlcov .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Set-up: one stamp for each step, so that nothing is done twice. -----------------------------

$(VENV)/.made:
	@test -n "$(PYTHON)" || { \
		echo "Parley needs Python 3.11 or newer, and found none: install it, or name it with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Parley needs Python 3.11 or newer with its venv module (Debian: python3-venv), and $(PYTHON) is not that." >&2; \
		exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# pip brings uv, and uv the rest: a minute's work for pip is three seconds' for uv, and it removes
# what the lock no longer names. Where uv finds no index (one that only pip is told of), pip does it all.
$(VENV)/.locked: requirements.lock $(VENV)/.made
	@echo "Installing Python packages from requirements.lock"
	@awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock || { \
		echo "uv could not; pip can, but takes a minute"; \
		$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock; }
	@rm -f $(VENV)/.node
	@touch $@

# The build backend is in the lock as well, so that no build environment is fetched.
$(VENV)/.ready: pyproject.toml $(VENV)/.locked
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.node: requirements-node.lock $(VENV)/.locked
	@echo "Installing Node from requirements-node.lock: none on PATH is version 20 or newer"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# Once more, too, where the copies that the server serves are gone.
$(PAGE)/.ready: web/package.json web/package-lock.json web/vendor.mjs \
		$(if $(wildcard web/static/vendor/*),,FORCE) | $(NODE_SETUP)
	@echo "Installing the page's libraries from web/package-lock.json"
	@$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@$(NPM) run --silent vendor
	@touch $@
