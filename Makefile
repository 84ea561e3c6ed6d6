# The two commands: `make run` and `make test`. Each makes what it needs; nothing is installed outside this folder but
# Debian packages that the tests need, and those only as root.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CONTROL_ROOM := dashboards/control_room
PORT ?= 8080
SEED ?= 1
RUN_DIR ?= .run
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: run test test-unit test-system lint control-room bench soak lock clean check-tools

run: check-tools $(VENV)/.run $(CONTROL_ROOM)/dist/index.html
	@exec $(PY) -m fleet_deploy demo --dir $(RUN_DIR) --port $(PORT) --seed $(SEED)

test: check-tools $(VENV)/.dev $(CONTROL_ROOM)/dist/index.html prerequisites lint test-control-room
	$(PY) -m pytest -m "not system" -q
	$(PY) -m pytest -m system -q --durations=15

test-unit: $(VENV)/.dev
	$(PY) -m pytest -m "not system" -q

test-system: $(VENV)/.dev $(CONTROL_ROOM)/dist/index.html prerequisites
	$(PY) -m pytest -m system -q --durations=15

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	PYTHONPATH=. $(VENV)/bin/lint-imports --no-cache

# the proofs that CI runs in a reduced form, whole, with the same code; hours, each prints its figures
WHOLE = tests/edge_agent/drivers/test_crane_shift.py tests/system/edge_agent/test_usb_replug.py \
	tests/system/edge_agent/test_assembly_rows.py tests/system/gateway/test_fault_matrix.py
# the same of the outbox, the uplink and the accounting
WHOLE_OUTBOX = tests/system/gateway/test_power_cuts.py tests/gateway/outbox/test_flips.py \
	tests/gateway/outbox/test_outbox_machine.py tests/gateway/outbox/test_long_outage.py \
	tests/system/gateway/test_drain.py tests/system/gateway/test_fleet_reconnect.py \
	tests/system/gateway/test_swallowed_acks.py tests/cloud_api/accounting/test_accounting_of_ports.py \
	tests/cloud_api/history/test_merging_model.py tests/system/cloud_api/test_accounting_alarm.py
# the same of the cloud's memory, its workers and the broker cluster
WHOLE_CLOUD = tests/system/test_cloud_fault_matrix.py tests/system/cloud_api/test_influx_history.py \
	tests/system/cloud_api/test_exactly_once.py tests/system/cloud_api/test_bad_input.py \
	tests/system/cloud_api/test_slow_history.py tests/system/cloud_api/test_store_worker_on_any_bus.py \
	tests/system/cloud_api/test_operations_faults.py tests/cloud_api/history/test_ledgered_model.py \
	tests/system/cloud_api/test_takeover.py tests/system/cloud_api/test_warm_start.py tests/system/fleet_deploy/test_cluster_failover.py \
	tests/system/fleet_deploy/test_elected_sessions.py
.PHONY: soak-outbox soak-cloud
soak: $(VENV)/.dev prerequisites soak-outbox soak-cloud
	PORTTRACK_WHOLE=1 $(PY) -m pytest -q -s --durations=15 $(WHOLE)
	PORTTRACK_WHOLE=1 $(PY) -m tests.bench.fuzzing

soak-outbox: $(VENV)/.dev prerequisites
	PORTTRACK_WHOLE=1 $(PY) -m pytest -q -s --durations=15 $(WHOLE_OUTBOX)
	PORTTRACK_WHOLE=1 $(PY) -m tests.bench.outbox_rss

soak-cloud: $(VENV)/.dev prerequisites
	PORTTRACK_WHOLE=1 $(PY) -m pytest -q -s --durations=15 $(WHOLE_CLOUD)

bench: check-tools $(VENV)/.dev
	$(PY) -m tests.bench

.PHONY: prerequisites test-control-room
prerequisites: $(VENV)/.dev
	@$(PY) -m tests.support.prerequisites

test-control-room: $(CONTROL_ROOM)/node_modules/.stamp
	cd $(CONTROL_ROOM) && npm run --silent check && npm test --silent && npm run --silent budget

control-room: $(CONTROL_ROOM)/dist/index.html

check-tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "PortTrack needs Python 3.11 or newer as $(PYTHON): set PYTHON=…"; exit 2; }
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "PortTrack needs Node.js 20 or newer with npm on the PATH"; exit 2; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { echo "PortTrack needs Node.js 20 or newer; this is $$(node --version)"; exit 2; }

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# locks/dev.txt holds locks/run.txt: a machine that only runs PortTrack installs the smaller one
$(VENV)/.run: locks/run.txt | $(VENV)/bin/python
	@echo "installing PortTrack's packages into $(VENV)"
	@test -e $(VENV)/.dev && ! test locks/dev.txt -nt $(VENV)/.dev || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/run.txt
	@touch $@

$(VENV)/.dev: locks/dev.txt | $(VENV)/bin/python
	@echo "installing development packages into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	@touch $@

$(CONTROL_ROOM)/node_modules/.stamp: $(CONTROL_ROOM)/package.json $(CONTROL_ROOM)/package-lock.json
	@echo "installing the control room's packages"
	@cd $(CONTROL_ROOM) && npm ci --silent --no-audit --no-fund
	@touch $@

CONTROL_ROOM_SOURCES := $(shell find $(CONTROL_ROOM)/src $(CONTROL_ROOM)/index.html $(CONTROL_ROOM)/vite.config.ts -type f 2>/dev/null)
$(CONTROL_ROOM)/dist/index.html: $(CONTROL_ROOM)/node_modules/.stamp $(CONTROL_ROOM_SOURCES)
	@echo "building the control room"
	@cd $(CONTROL_ROOM) && npm run --silent build
	@touch $@

# needs uv on the PATH; dev first, the others agree with it
COMPILE = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:
	$(COMPILE) --extra device --extra cloud --extra fleet --extra dev -o locks/dev.txt
	$(COMPILE) --extra device --extra cloud --extra fleet -c locks/dev.txt -o locks/run.txt
	$(COMPILE) --extra device -c locks/dev.txt -o locks/device.txt
	$(COMPILE) --extra cloud --extra fleet -c locks/dev.txt -o locks/cloud.txt
	$(COMPILE) --extra balena -o locks/balena.txt

clean:
	rm -rf $(VENV) $(CONTROL_ROOM)/node_modules $(CONTROL_ROOM)/dist .pytest_cache .mypy_cache .ruff_cache
