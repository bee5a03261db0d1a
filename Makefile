# Two commands on a fresh machine: `make run` and `make test`. Python 3.11 or newer is all they need.

PYTHON ?=
IN := .venv/bin/python -m
# The suite starts dozens of processes; each would compile the product anew, and they have little else to do.
unexport PYTHONDONTWRITEBYTECODE
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet
# pytest-cov asks for coverage[toml], and pip before 23.3 does not see that coverage is pinned: it has a line for that too.
define WITH_EXTRA
/^[^ ]/ { found = sub(/^coverage==/, "coverage[toml]==") } found
endef
export WITH_EXTRA

.DEFAULT_GOAL := help
.PHONY: help venv tools run test fuzz check format lock sbom chart bench migration clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: venv ## start everything, with its own PostgreSQL and Redis; PORT=8010 DATA_DIR=.data2 for a second one
	@exec $(IN) dev

test: venv tools ## the suite on real servers, then the checks; ARGS="-k search" is passed to pytest
	$(IN) pytest -n 3 --dist loadfile $(ARGS)
	@$(MAKE) --no-print-directory check

fuzz: venv ## send everything to every operation, as everybody; ARGS="--max-examples 1000 --seed 7"
	FUZZ="$(or $(ARGS),--max-examples 100)" $(IN) pytest -s tests/fuzz

check: venv ## style, formatting, types, known mistakes, secrets, and which module may import which
	$(IN) ruff check .
	$(IN) ruff format --check .
	$(IN) mypy
	.venv/bin/python .venv/bin/lint-imports
	$(IN) bandit -q -c pyproject.toml -r app sandbox dev -ll
	$(IN) dev.secret_scan

format: venv ## put the code into its one format
	$(IN) ruff check --fix .
	$(IN) ruff format .

lock: venv ## resolve pyproject.toml into requirements*.txt, with hashes
	$(IN) $(LOCK) -o requirements/production.txt
	$(IN) $(LOCK) --extra test -o requirements.txt
	@awk "$$WITH_EXTRA" requirements.txt >.lock && cat .lock >>requirements.txt && rm .lock
	$(IN) $(LOCK) --all-extras -o requirements/dev.txt
	$(IN) uv pip compile --group tools --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements/tools.txt

sbom: venv ## the bill of materials of what production installs, as CycloneDX, in sbom.json
	$(IN) cyclonedx_py requirements requirements/production.txt --of JSON -o sbom.json

chart: tools ## package deploy/helm/jetway for a registry of charts, in dist/
	@mkdir -p dist
	.tools/bin/python -c 'import helm_python; print(helm_python.package("deploy/helm/jetway", destination="dist"))'

bench: venv ## measure, and compare with the limits; ARGS= is passed on
	$(IN) benchmarks $(ARGS)

migration: venv ## write a migration from the models; m="what it does"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="add a column"'; exit 1; }
	@$(IN) dev.migration "$(m)"

clean: ## remove the environment and every cache; data in .data stay
	rm -rf .venv .tools dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# What was installed last is kept and compared, so this takes a moment when nothing changed.
venv:
	@PYTHON="$(PYTHON)" sh dev/venv.sh

# Traefik, Helm and whatever else checks deploy/; some 500 MB, so that only the suite asks for them.
tools: venv
	@sh dev/tools.sh
