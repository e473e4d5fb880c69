# The commands of the product, for people and for CI. `make` alone lists them.
PYTHON_ENV := .venv/bin/python
PYTEST_ARGS ?=
# Two at once; the tests that drive a browser share one server and stay together (tests/conftest.py).
AT_ONCE = -n 2

# Where `make test-services` finds its servers; anything set outside wins.
TEST_DATABASE_URL = $(or $(DATABASE_URL),postgres://postgres@127.0.0.1:5432/postgres)
TEST_BROKER_URL = $(or $(CELERY_BROKER_URL),redis://127.0.0.1:6379/0)
# A test must not reach a mailbox, a mail server or a database that happens to be set in this terminal.
WITHOUT_SERVICES = env -u DATABASE_URL -u CELERY_BROKER_URL -u MAILBOX_URL -u EMAIL_URL -u DEMO -u VAR_DIR

.DEFAULT_GOAL := help
.PHONY: help demo test test-services nightly check format locale lock bench setup setup-dev

help:
	@echo "make demo            a clinic with 200 patients on this machine; Ctrl-C ends it (PORT=8001 make demo for another port)"
	@echo "make test            all tests on SQLite, no service needed"
	@echo "make test-services   all tests on PostgreSQL and Redis (DATABASE_URL, CELERY_BROKER_URL, or localhost)"
	@echo "make nightly         every trial of a crash or a fault, as often as a night allows (PostgreSQL, redis-server)"
	@echo "make check           format, lint, types, import contracts, migrations, translations, templates"
	@echo "make bench           the measurements of bench/, as ratios to plain SQL"
	@echo "make format          put the code into its one format"
	@echo "make locale          collect the strings and compile the translations (needs gettext)"
	@echo "make lock            resolve requirements*.txt anew (needs uv)"

setup:
	@tools/setup.sh requirements.lock

setup-dev:
	@tools/setup.sh requirements-dev.lock

demo: setup
	@$(PYTHON_ENV) manage.py demo

test: setup-dev
	@$(WITHOUT_SERVICES) $(PYTHON_ENV) -m pytest $(AT_ONCE) $(PYTEST_ARGS)

test-services: setup-dev
	@$(WITHOUT_SERVICES) DATABASE_URL='$(TEST_DATABASE_URL)' CELERY_BROKER_URL='$(TEST_BROKER_URL)' \
		$(PYTHON_ENV) -m pytest $(AT_ONCE) -m "not browser" $(PYTEST_ARGS)

nightly: setup-dev
	@$(WITHOUT_SERVICES) NIGHTLY=1 PGOPTIONS='-c synchronous_commit=off' DATABASE_URL='$(TEST_DATABASE_URL)' \
		$(PYTHON_ENV) -m pytest $(AT_ONCE) $$(grep -l 'concurrency.trials' tests/concurrency/test_*.py) $(PYTEST_ARGS)

check: setup-dev
	$(PYTHON_ENV) -m ruff format --check --quiet .
	$(PYTHON_ENV) -m ruff check --quiet .
	$(PYTHON_ENV) tools/check_house.py
	$(PYTHON_ENV) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PYTHON_ENV) manage.py check
	$(PYTHON_ENV) manage.py makemigrations --check --dry-run
	$(PYTHON_ENV) tools/check_locale.py
	.venv/bin/djlint --lint --quiet templates

format: setup-dev
	$(PYTHON_ENV) -m ruff format .
	$(PYTHON_ENV) -m ruff check --fix .

locale: setup-dev
	$(PYTHON_ENV) manage.py makemessages --locale he --locale ru --locale ar --no-location --no-obsolete \
		--ignore .venv --ignore var --ignore 'static/*' --ignore tests --ignore bench
	$(PYTHON_ENV) manage.py compilemessages --ignore .venv --ignore var

lock:
	for name in requirements requirements-dev; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
			--custom-compile-command "make lock" $$name.txt -o $$name.lock || exit 1; \
	done

bench: setup-dev
	$(PYTHON_ENV) -m bench.watch
	$(PYTHON_ENV) -m bench.book
	$(PYTHON_ENV) -W ignore -m bench.pages
	$(PYTHON_ENV) -W ignore -m bench.imports
	$(PYTHON_ENV) -W ignore -m bench.reports
	$(PYTHON_ENV) -m bench.dispatch
	$(PYTHON_ENV) -m bench.windows
