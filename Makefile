# Everything a newcomer needs: `make demo`, `make test`. Both set up what they need, and can be run again.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE := # empty: else each process that a test starts compiles all modules anew
.PHONY: demo test check bench mutants examples messages licences sbom audit lock clean
INSTALL = pip install --quiet --require-hashes --no-build-isolation

# with --no-build-isolation, what is built from source (durable-rules) is built by the locked tools, and by no others
.venv/ready: requirements-build.lock requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/$(INSTALL) -r requirements-build.lock
	$(BIN)/$(INSTALL) -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(BIN)/$(INSTALL) -r requirements-dev.lock
	touch $@

.venv-audit/ready: requirements-audit.lock
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/$(INSTALL) -r requirements-audit.lock
	touch $@

demo: .venv/ready
	$(BIN)/xinheng demo

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	sh tests/install-tools
	$(BIN)/python -m pytest -m "not alone" --numprocesses auto --dist worksteal
	$(BIN)/python -m pytest -m alone $$(grep -rl --include="*.py" "mark\.alone" tests)

mutants: .venv/ready-dev
	$(BIN)/python tests/mutation/run.py

bench: .venv/ready-dev
	$(BIN)/python -m pytest benchmarks --benchmark-only

examples: .venv/ready-dev
	PYTHONPATH=tests $(BIN)/python tests/api/examples.py

messages: .venv/ready-dev
	LANGUAGE=en PYTHONPATH=tests $(BIN)/python -m cli.messages

licences: .venv/ready
	$(BIN)/python deploy/materials.py licences > docs/licences.md

sbom: .venv/ready
	$(BIN)/python deploy/materials.py sbom > xinheng.cdx.json

# asks the public index for what is known against each locked package; a mirror that does not know fails it
audit: .venv-audit/ready
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes \
	  -r requirements.lock -r requirements-build.lock -r requirements-dev.lock

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: .venv/ready-dev
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --group build -c requirements.lock -o requirements-build.lock
	$(COMPILE) --group audit -c requirements.lock -o requirements-audit.lock
	$(COMPILE) pyproject.toml --extra dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock

clean:
	rm -rf .venv .venv-audit
