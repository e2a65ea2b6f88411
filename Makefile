# Voltbus. `make help` explains the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

# Where the home folder is read-only or missing, tools keep their caches here.
ifneq ($(shell test -w "$$HOME" && echo writable),writable)
export XDG_CACHE_HOME ?= $(CURDIR)/.venv/cache
export npm_config_cache ?= $(CURDIR)/.venv/cache/npm
endif

help:  ## what each target does
	@sed -n 's/^\([a-z][a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: .venv/run  ## start everything on this machine and say where it is
	@$(BIN)/voltbus up

test: .venv/dev node_modules/.package-lock.json  ## all checks, the pages and all tests (or TESTS=tests/unit)
	@$(if $(TESTS),$(parallel) check docs && $(BIN)/pytest $(TESTS),$(parallel) $(sync) servers-tested rest-tested)

parallel = $(MAKE) --no-print-directory -j 2
sync = $(if $(filter output-sync,$(.FEATURES)),--output-sync)

# In random order, side by side; each worker has a set of servers of its own.
servers-tested: .venv/dev node_modules/.package-lock.json
	@+$(BIN)/pytest tests --ignore=tests/unit -n 3 --dist loadfile --no-loadscope-reorder

# While those wait, and they often do; what unit tests say is shown when they have ended.
rest-tested: .venv/dev node_modules/.package-lock.json
	@nice $(MAKE) --no-print-directory check docs
	@nice $(BIN)/pytest tests/unit -n auto --dist loadfile

# Hundreds of processes import the same modules: their bytecode is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

bench: .venv/dev  ## rates, latencies, CPU and memory, into docs/benchmarks.md (with ARGS, such as --quick: not kept)
	@$(BIN)/voltbus bench $(or $(ARGS),--page docs/benchmarks.md --data build/benchmarks.json)

chaos: .venv/dev  ## kill, freeze and cut off processes under load, into docs/chaos.md (with ARGS, such as --faults kill: not kept)
	@$(BIN)/voltbus chaos $(or $(ARGS),--page docs/chaos.md --data build/chaos.json)

fuzz: .venv/dev  ## a million inputs to sessions, WebSocket, compression, handshakes and SOAP, guided by coverage (or ARGS)
	@$(BIN)/python -m tests.fuzz $(ARGS)

certification: .venv/dev  ## the certification cases of OCPP 2.0.1, and ours of 1.6, into docs/certification.md (or TESTS=tests/certification/test_…)
	@mkdir -p build
	@$(BIN)/pytest $(or $(TESTS),tests/certification) --junitxml=build/certification.xml; result=$$?; \
		$(BIN)/python -m tests.certification.page build/certification.xml && exit $$result

check: .venv/dev node_modules/.package-lock.json  ## style, types, import contracts, drift of what is generated; proto lint and breaking changes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python proto/generate.py --check
	$(BIN)/python proto/document.py --check
	$(BIN)/python -m tests.certification.page --check
	$(BIN)/python -m tests.contract.compatibility --check
	$(BIN)/python -m deploy.helm.generate --check
	$(BIN)/python -m deploy.grafana --check
	$(BIN)/python -m deploy.metrics_page --check
	$(BIN)/python -m deploy.openapi --check
	cd proto && $(buf) lint && $(buf) breaking public --against released.binpb

docs: .venv/dev  ## the pages as a site, into build/site; a broken link is an error
	$(BIN)/sphinx-build -q -W --keep-going -c docs . build/site

setup: .venv/dev node_modules/.package-lock.json  ## the virtual environment with everything a developer needs

proto: .venv/dev  ## generate voltbus/v1, and the table of events in docs/topics.md, from proto/
	$(BIN)/python proto/generate.py
	$(BIN)/python proto/document.py

chart: .venv/dev  ## what the chart takes from the tables of services, settings and topics, and what it renders then
	$(BIN)/python -m deploy.helm.generate
	$(BIN)/python -m tests.unit.deploy.golden

monitoring: .venv/dev  ## generate the dashboards in deploy/helm/voltbus, and the table in docs/metrics.md
	$(BIN)/python -m deploy.grafana
	$(BIN)/python -m deploy.metrics_page

compatibility: .venv/dev  ## generate docs/compatibility.md: every message of every version, and the test that shows it
	$(BIN)/python -m tests.contract.compatibility

openapi: .venv/dev  ## generate the one OpenAPI document of all services, which they serve
	$(BIN)/python -m deploy.openapi

kube-check: .venv/dev  ## the chart on a real Kubernetes API server, which Go builds first: a quarter of an hour, once
	@mkdir -p build/kube
	cd deploy/kube && CGO_ENABLED=0 go build -ldflags="-s -w -X $(version)=v1.37.2" -o ../../build/kube/ \
		go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kube-apiserver
	$(BIN)/pytest tests/integration/deploy/test_api_server.py

version = k8s.io/component-base/version.gitVersion

contract: .venv/dev node_modules/.package-lock.json  ## at a release: from now on proto/public as it is may not be broken
	cd proto && $(buf) build public --exclude-source-info -o released.binpb

buf = ../$(BIN)/node ../node_modules/@bufbuild/buf/bin/buf

format: .venv/dev  ## rewrite the code in the project's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/dev  ## pin the newest allowed versions of all dependencies
	$(compile) -o requirements.txt
	$(compile) --extra operator -c requirements.txt -o requirements-operator.txt
	$(compile) --extra local -c requirements-operator.txt -o requirements-local.txt
	$(compile) --extra dev -c requirements-local.txt -o requirements-dev.txt
	$(pinned) --group image -c requirements-dev.txt -o requirements-image.txt

compile = $(pinned) pyproject.toml
pinned = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --upgrade -q

clean:  ## remove the virtual environment and the local data
	rm -rf .venv .voltbus node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Voltbus needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "no venv module: install it (Debian: apt install python3-venv)"; exit 1; }

.venv/run: requirements-local.txt pyproject.toml | .venv/bin/python
	@echo "installing what Voltbus runs on (once, half a minute)"
	@$(call install,requirements-local.txt)
	@touch $@

.venv/dev: requirements-dev.txt pyproject.toml | .venv/bin/python
	@echo "installing what Voltbus is developed with (once, a minute)"
	@$(call install,requirements-dev.txt)
	@touch $@ .venv/run

install = { { $(pip) --progress-bar off --require-hashes -r $(1); echo "exit $$?"; } | $(call counted,$(1)) \
	&& $(pip) -q --no-deps --no-build-isolation -e . ; } \
	|| { echo "could not install: is a Python package index reachable, and is there room? Run the same command again."; exit 1; }

pip = $(BIN)/pip install --disable-pip-version-check

# Of what pip says, a line for every ten packages; ends as pip did.
counted = { all=$$(grep -c '^[a-zA-Z].*==' $(1)); n=0; while read -r word rest; do case $$word in \
	Collecting|Ignoring|Requirement) n=$$((n + 1)); [ $$((n % 10)) -gt 0 ] || echo "  $$n of $$all packages fetched";; \
	Installing) echo "  all packages fetched, now unpacked";; \
	exit) exit $$rest;; \
	esac; done; }

node_modules/.package-lock.json: package.json package-lock.json | .venv/dev
	@$(BIN)/npm ci --loglevel=error --ignore-scripts --no-audit --no-fund \
		|| { echo "could not install the tools from npm: is a registry reachable, and is there room? Run the same command again."; exit 1; }

.PHONY: help run test servers-tested rest-tested bench chaos fuzz certification compatibility check docs setup proto chart monitoring kube-check contract format lock clean
