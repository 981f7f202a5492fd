# Two commands: `make run` and `make test`. Both make what they need.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RUN := .venv/.run-$(shell cat requirements.txt pyproject.toml | cksum | cut -d' ' -f1)
DEV := .venv/.dev-$(shell cat requirements.txt requirements-dev.txt pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: run test slow long check lint types imports docs format clean

run: $(RUN)  ## Serve the demonstration on http://127.0.0.1:8000: sample corpus, branches and accounts
	@$(BIN)/gongxue serve --demonstration

test: $(DEV)  ## Every test, examples in docs and docstrings included; on every core, the tests of one file together
	$(BIN)/python -m pytest -n auto --dist loadfile

slow: $(DEV)  ## Only the tests that take minutes or need a browser
	$(BIN)/python -m pytest -m slow

long: $(DEV)  ## The tests that go on for an hour: two thousand worlds of access, many examples of every operation
	$(BIN)/python -m pytest -m long

check: lint types imports docs test  ## What CI runs

lint: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV)
	$(BIN)/mypy kb store ingest search access quiz cases api benchmarks docs

imports: $(DEV)
	$(BIN)/lint-imports

docs: $(DEV)
	$(BIN)/python -m docs.generate --check

format: $(DEV)  ## Put code and generated docs in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m docs.generate

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN): | .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(DEV): $(RUN)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
