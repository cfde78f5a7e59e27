# Lightsout. `make` alone explains.
.DEFAULT_GOAL := help
.PHONY: help install install-dev install-cli run demo test lint soak faults month bench bench-deadline bench-wide bench-spend bench-pages bench-peers vendor messages

PYTHON ?= python3
BIN := .venv/bin
HOST ?= 127.0.0.1
# Demo people may sign in at one click, so they are for this machine alone.
DEMO ?= $(if $(filter 127.% localhost ::1,$(HOST)),1,0)

# Where Python may not keep what it compiled, each of the many processes that we start compiles all of it again: a test
# run takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

INSTALL := sh install.sh $(PYTHON)

help: ## This list
	@echo "Lightsout: a bootcamp's portal that turns off the lights. Python 3.11 or newer is all it needs."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 | \2/p' $(MAKEFILE_LIST) | awk -F' [|] ' '{printf "%-20s %s\n", $$1, $$2}'
	@echo
	@echo "  From the environment: PORT (8000), SIMULATOR_PORT (5566), HOST, DEMO, LIGHTSOUT_VAR (var/), DATABASE_URL,"
	@echo "  REDIS_URL, SIMULATOR_URL; the rest stands in portal/settings.py."

install: ## Make .venv with what the product runs on
	@$(INSTALL) .venv requirements.txt

install-dev: ## Make .venv with the tools for tests, lint and types as well
	@$(INSTALL) .venv requirements-dev.txt

install-cli: ## Make .cli-venv with the aws command (tests of the credentials use it)
	@$(INSTALL) .cli-venv requirements-cli.txt

run: install ## Run everything together; one Ctrl-C stops it. The data stays in var/
	@HOST=$(HOST) DEMO=$(DEMO) exec $(BIN)/python manage.py up

demo: install ## The same, with the demo's data laid afresh
	@HOST=$(HOST) DEMO=1 exec $(BIN)/python manage.py up --afresh

test: lint ## Lint, types, and all tests in random order
	$(BIN)/python -m pytest -n 3 --dist worksteal $(TESTS)

lint: install-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: install-dev ## Ten thousand seeded lives of labs while AWS fails and workers die; last line JSON (SOAK="--seed 7")
	$(BIN)/python -m labs.tests.soak $(SOAK)

faults: install-dev ## Ten thousand injected faults in handing in, on SQLite and PostgreSQL; last line JSON (FAULTS="--seed 7")
	@$(BIN)/python -m portal.tests.faults $(FAULTS)

month: install-dev ## A class of fifty for four weeks with known truth, on a strict clock; last line JSON (MONTH="--seed 7")
	$(BIN)/python -m costs.tests.month $(MONTH)

bench: install-dev ## One figure each, beside its peer (bench/); needs PostgreSQL and Redis installed
	@$(BIN)/python bench/launch.py; launch=$$?; $(BIN)/python bench/census.py && exit $$launch

bench-wide: install-dev ## The census of 200 students in three regions, and of fifty accounts: half an hour
	$(BIN)/python bench/census.py --wide --quick

bench-spend: install-dev ## The spend page of 500 students beside a bare Django view, and metering; needs PostgreSQL
	@$(BIN)/python bench/spend_page.py

bench-deadline: install-dev ## 500 students hand in at once, beside a bare view that saves an upload; needs PostgreSQL
	@$(BIN)/python bench/deadline.py

bench-pages: install-dev ## What pages weigh over the wire, and Lighthouse's scores; needs npm and Chromium
	@$(BIN)/python bench/pages.py

bench-peers: ## Make .bench-venv with Cloud Custodian, the peer that bench/census.py is measured against
	@$(INSTALL) .bench-venv bench/requirements-peers.txt

vendor: install-dev ## Maintainers: fetch the vendored CSS and JavaScript anew
	$(BIN)/python manage.py vendor

# -i: what says nothing on a page, or what others wrote.
messages: install-dev ## Maintainers: gather what is to be translated into locale/, and compile it (needs gettext)
	$(BIN)/python manage.py makemessages --locale my --no-wrap --no-obsolete --add-location file -v 0 \
		-i ".venv" -i ".*-venv" -i var -i courses -i bench -i e2e -i docs -i "static/*" \
		-i "*/tests/*" -i "*/migrations/*" -i "*/management/*" -i "labs/simulator/*" -i "labs/catalog/kits/*"
	$(BIN)/python manage.py compilemessages --locale my -v 0 --ignore ".venv"
