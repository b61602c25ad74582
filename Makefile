# Everything a newcomer needs: `make demo` and `make test`. Both set up what they use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAGE  ?= dev
# With which CloudFormation acts in an account that trusts a pipeline's: the CDK's own default, unless a company has its own.
EXECUTION_POLICY ?= arn:aws:iam::aws:policy/AdministratorAccess
LOCKS  := $(wildcard requirements-dev.txt lambdas/requirements.txt lambdas/*/requirements.txt containers/*/requirements*.txt tests/*/requirements.txt)
PIP_AUDIT := $(BIN)/pip-audit --disable-pip --progress-spinner=off
# Stacks that are deployed at once, where none waits for another.
CONCURRENCY ?= 1
# Whether a person at the terminal is asked before roles and policies become broader.
ASKS   := $(filter-out never,$(or $(CDK_REQUIRE_APPROVAL),broadening))
# Of deploy-only: its stacks, as the CDK calls them.
ONLY    = $(foreach stack,$(STACKS),'genolaunch-$(STAGE)/$(stack)')
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup package demo demo-restore demo-snakemake test test-unit test-full test-iam test-busy test-regenie test-cases test-images benchmark benchmark-restore benchmark-cold-imports lint lint-style lint-types lint-machines lint-templates check-jsonata nag audit audit-python reference format synth synth-pipeline check-account bootstrap bootstrap-pipeline deploy deploy-only destroy deploy-images deploy-pipeline verify-stage lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

setup: $(VENV)/.ready node_modules/.ready ## the virtual environment and the CDK command line, from the locks

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Genolaunch needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 " + "$(MAKECMDGOALS)")'
	$(PYTHON) -m venv --clear $(VENV)
	@# uv comes from the lock too: pip installs that one package with its hashes, uv the rest.
	@awk '/^uv==/{keep=1} /^[a-z]/&&!/^uv==/{keep=0} keep' requirements-dev.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

# Of its own: another version of the CDK command line is no reason to make the environment of Python anew.
node_modules/.ready: package-lock.json | $(VENV)/.ready
	$(BIN)/npm ci --silent
	@touch $@

demo: setup ## the whole platform on this machine, running a real GWAS (no AWS account, no Docker needed)
	@$(BIN)/python -m genolaunch.demo

demo-restore: setup ## archived cohorts: launches that wait for S3 Glacier and go on by themselves, on this machine
	@$(BIN)/python -m genolaunch.demo_restore

demo-snakemake: setup ## the same with a Snakemake workflow, by both engines (a C compiler is needed once)
	@$(BIN)/python -m genolaunch.demo_snakemake

test: setup ## the tests that CI runs, three files at a time (each waits much); some of them: make test ARGS="tests/unit -k plan"
	$(BIN)/pytest --numprocesses 3 --dist loadfile -m "not full and not regenie and not images and not grants" $(ARGS)

test-unit: setup ## the fast ones: plain logic, without embedded cloud and templates
	$(BIN)/pytest --numprocesses 2 --dist loadfile -m "not full and not regenie and not images and not grants" tests/unit $(ARGS)

test-full: setup ## all tests, also the long ones
	$(BIN)/pytest -m "not regenie and not images"

test-iam: setup ## the end-to-end tests with IAM enforced, and then: which grants did nobody use?
	@rm -rf build/iam
	GENOLAUNCH_IAM=enforced $(BIN)/pytest --numprocesses 2 --dist loadfile -m "not full and not regenie and not images and not grants" tests/local
	GENOLAUNCH_IAM=enforced $(BIN)/pytest -m grants tests/local/test_grants.py

test-busy: setup ## the end-to-end tests on a machine that has much else to do: two loops that never rest run beside them
	@loops=; for loop in 1 2; do timeout 7200 $(BIN)/python -c 'while True: pass' & loops="$$loops $$!"; done; \
	trap "kill $$loops" EXIT; $(BIN)/pytest --numprocesses 2 --dist loadfile -m "not full and not regenie and not images and not grants" tests/local

test-regenie: setup ## many jobs give what one gives, with GENOLAUNCH_REGENIE=/path/to/regenie (or the one on PATH)
	@program=$${GENOLAUNCH_REGENIE:-$$(command -v regenie)}; \
	if [ -f "$$program" ] && [ -x "$$program" ]; then $(BIN)/pytest -m regenie tests/regenie; \
	else echo "skipped: set GENOLAUNCH_REGENIE=/path/to/regenie to run these checks with a real regenie"; fi

test-cases: setup ## situations from the field, each with its right value; those that need a real regenie: GENOLAUNCH_REGENIE, as above
	$(BIN)/pytest --verbose --no-header tests/cases tests/snakemake/test_cases.py

test-images: setup ## really build the images, without Docker, and try them (root; apt-get install buildah debootstrap)
	$(BIN)/pytest -r s -m images tests/images

package: setup ## the command line as a wheel in dist/, for `pipx install`
	$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python

benchmark: setup ## what the platform adds to a GWAS, and where the time goes; what a launch asks of AWS; what a merge and a preflight take
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.requests
	PYTHONPATH=containers/regenie $(BIN)/python -m benchmarks.merge --rows 2000000
	$(BIN)/python -m benchmarks.preflight --people 200000

benchmark-restore: setup ## what restoring 1,000, 10,000 and 100,000 objects costs per object
	$(BIN)/python -m benchmarks.restore

benchmark-cold-imports: setup ## what importing each function as it is shipped takes, beside its libraries alone
	$(BIN)/python -m benchmarks.cold_imports

lint: lint-style lint-types lint-machines lint-templates ## style, types, state machines, templates

lint-style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: setup
	$(BIN)/mypy

lint-machines: setup
	$(BIN)/python -m statemachines.composition build/statemachines
	$(BIN)/statelint --eval-jsonata build/statemachines/*.asl.json
	@# statelint finds no error of syntax in an expression.
	$(BIN)/python -m checks.jsonata rules

lint-templates: setup
	@# Every settings file; each template for the region that it goes to.
	$(BIN)/python -m checks.templates

check-jsonata: setup ## every expression of the state machines, on states of real runs, in AWS's JSONata engine and in the embedded cloud's
	$(BIN)/python -m checks.jsonata compare

nag: setup ## cdk-nag's AwsSolutions and HIPAA Security packs: every finding is explained (checks/explained.py)
	$(BIN)/python -m checks.nag

audit: audit-python setup ## known vulnerabilities of everything that is locked (asks PyPI and npm)
	$(BIN)/npm audit --audit-level=high

audit-python: setup
	@# One lock at a time: the same package in two of them is a duplicate to pip-audit.
	@status=0; for lock in $(LOCKS); do echo "$$lock"; $(PIP_AUDIT) -r $$lock || status=1; done; exit $$status

reference: setup ## what is generated in docs/: the launch config's JSON Schema and tables, the settings, the diagrams, the cost of an idle stage, what the embedded cloud covers
	$(BIN)/python -m checks.reference

format: setup ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The CDK CLI ends a synthesis of stages with a demand for a stack's name, as if something were wrong, even if it is quiet.
# By --ci its news are on standard output; errors stay on standard error, and its exit status is handed on.
synthesize = news=$$($(BIN)/npx cdk synth --quiet --ci $(1)); status=$$?; echo "$$news" | sed '/^Supply a stack id /d'; exit $$status

synth: setup ## the checked CloudFormation templates of STAGE, or of all stages of SETTINGS=file.json, in cdk.out
ifdef SETTINGS
	$(call synthesize,-c settings-file=$(SETTINGS))
	$(BIN)/python -m checks.nag --settings-file $(SETTINGS)
else
	$(call synthesize,-c stage=$(STAGE))
	$(BIN)/python -m checks.nag --stage $(STAGE)
endif

synth-pipeline: setup ## the pipeline's template, and those of its stages, in cdk.out
	$(call synthesize,-c pipeline=true)

deploy-pipeline: setup ## deploy the pipeline (once: it then keeps itself up to date) to the account of your credentials
	$(BIN)/npx cdk deploy genolaunch-pipeline -c pipeline=true

check-account: setup ## is the account of your credentials ready for STAGE? (it only reads)
	$(BIN)/genolaunch doctor --stage $(STAGE) $(if $(SETTINGS),--settings-file $(SETTINGS))

# Images are built when it is their stacks' turn: before that, the repository that they go to may not be there yet.
bootstrap: setup ## prepare STAGE's account and region for the CDK, once; TRUST=<account of the pipeline> lets that deploy there
	$(BIN)/npx cdk bootstrap -c stage=$(STAGE) $(if $(TRUST),--trust $(TRUST) --cloudformation-execution-policies $(EXECUTION_POLICY))

bootstrap-pipeline: setup ## say what is called once before the pipeline's first run, in order (of SETTINGS=file.json, else cdk.json)
	@$(BIN)/python -m checks.bootstrap_order --execution-policy $(EXECUTION_POLICY) $(if $(SETTINGS),--settings-file $(SETTINGS))

# One question for all stacks, about what is then deployed: the same synthesis (cdk.out). CDK_REQUIRE_APPROVAL=never: none.
deploy: setup ## deploy STAGE to the AWS account of your credentials (IDLE=1: not while something runs in it)
	$(if $(IDLE),,-)$(BIN)/genolaunch --stage $(STAGE) running $(if $(IDLE),--idle)
	$(BIN)/npx cdk synth --quiet -c stage=$(STAGE)
	@$(BIN)/python -m checks.moved_subnets $(STAGE)
	$(if $(ASKS),$(BIN)/npx cdk diff '**' --app cdk.out --security-only --fail-on=never --method=template)
	$(if $(ASKS),@$(BIN)/python -m checks.approval $(STAGE))
	$(BIN)/npx cdk deploy '**' --app cdk.out --require-approval never --concurrency $(CONCURRENCY) --asset-prebuild=false

deploy-only: setup ## deploy only some stacks of STAGE, and not what they use: STACKS='regenie snakemake'
	$(if $(STACKS),,$(error Say which: make deploy-only STAGE=$(STAGE) STACKS='regenie snakemake'))
	$(BIN)/npx cdk synth --quiet -c stage=$(STAGE)
	@$(BIN)/python -m checks.moved_subnets $(STAGE)
	$(if $(ASKS),$(BIN)/npx cdk diff $(ONLY) --app cdk.out --exclusively --security-only --fail-on=never --method=template)
	$(if $(ASKS),@$(BIN)/python -m checks.approval $(STAGE))
	$(BIN)/npx cdk deploy $(ONLY) --app cdk.out --exclusively --require-approval never --concurrency $(CONCURRENCY) --asset-prebuild=false

destroy: setup ## delete STAGE: empty its buckets, delete its stacks, say what stays (it asks for the stage and its account)
	@$(BIN)/genolaunch --stage $(STAGE) destroy

deploy-images: setup ## deploy only the repositories of STAGE's images: once, before a pipeline publishes into them
	$(BIN)/npx cdk deploy 'genolaunch-$(STAGE)/images' -c stage=$(STAGE)

verify-stage: setup ## try STAGE after its deployment with tiny launches; the report is build/verify-STAGE.md (RESTORE=1: a restore, too)
	$(BIN)/genolaunch --stage $(STAGE) verify-stage --report build/verify-$(STAGE).md $(if $(RESTORE),--restore)

clean: ## stop the embedded cloud and remove everything that was made here
	-@test -x $(BIN)/genolaunch && $(BIN)/genolaunch local down
	rm -rf $(VENV) node_modules cdk.out build dist .localcloud .pytest_cache .mypy_cache .ruff_cache

lock: setup ## renew every lock file from its .in file (needs the package registries)
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.10 containers/regenie/requirements.in -o containers/regenie/requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 containers/snakemake/requirements.in -o containers/snakemake/requirements.txt
	$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --universal --python-version 3.12 lambdas/tibanna/requirements.in -o lambdas/tibanna/requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 containers/snakemake/requirements-aws-batch.in -o containers/snakemake/requirements-aws-batch.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.14 --python-platform aarch64-manylinux_2_28 lambdas/regenie/requirements.in -o lambdas/regenie/requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.14 --python-platform aarch64-manylinux_2_28 --no-emit-package botocore --no-emit-package jmespath --no-emit-package python-dateutil --no-emit-package six --no-emit-package urllib3 lambdas/requirements.in -o lambdas/requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 requirements.in -c requirements-dev.txt -o requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 tests/roc_validator/requirements.in -o tests/roc_validator/requirements.txt
	$(BIN)/npm install --package-lock-only --silent
