# Everything a newcomer needs: `make demo`, `make test`. Both set up what they need, and can be run again.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE := # empty: else each process that a test starts compiles all modules anew
.PHONY: demo test check bench mutants lock clean

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

demo: .venv/ready
	$(BIN)/xinheng demo

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	sh tests/install-browser
	$(BIN)/python -m pytest -m "not alone" --numprocesses auto --dist worksteal
	$(BIN)/python -m pytest -m alone

mutants: .venv/ready-dev
	$(BIN)/python tests/mutation/run.py

bench: .venv/ready-dev
	$(BIN)/python -m pytest benchmarks --benchmark-only

lock: .venv/ready-dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header pyproject.toml --extra build -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv
