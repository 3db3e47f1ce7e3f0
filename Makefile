# Every target first creates .venv if it is missing or out of date; `make setup` does only that.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup release verify mutate mutate-sample grade test test-slow check hostile image image-ci image-ci-build gpu-check torture fuzz bench screenshots docs wheel clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1:/p' $(MAKEFILE_LIST)

setup: .venv/.stamp  ## create .venv with the versions in constraints.txt

.venv/.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[cpu,dev,docs]'
	@touch $@

release: setup  ## build student/ from assignments/
	$(BIN)/gradetape release

verify: setup  ## test the checks with all solutions, and write results/proof.html; BRIEF=1: mutants with named checks
	@mkdir -p results
	$(BIN)/gradetape verify custom-training $(if $(BRIEF),--brief,--report results/proof.html) $(if $(FRESH),--fresh)

mutate: setup  ## generate mutants of all solutions and show those that pass every check
	$(BIN)/gradetape verify --mutate --at-least $(AT_LEAST)

SAMPLE ?= 300
AT_LEAST ?= 95
mutate-sample: setup  ## the same with a sample of SAMPLE mutants
	$(BIN)/gradetape verify --mutate --sample $(SAMPLE) --at-least $(AT_LEAST) $(if $(SEED),--seed $(SEED))

grade: setup  ## grade the example submissions into results/
	$(BIN)/gradetape grade examples/submissions --assignment custom-training --out results

JOBS ?= 2
PYTEST = $(BIN)/pytest --numprocesses $(JOBS) --dist loadfile
test: setup  ## run the tests, in JOBS processes
	$(PYTEST)

test-slow: setup  ## run the slow tests: all examples, hundreds of workers, the tutorial with a built wheel
	$(PYTEST) -m slow

check: setup  ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

hostile: setup  ## grade the hostile submissions and report what they achieve; BRIEF=1: as an ordinary user some only
	$(BIN)/python -m examples.hostile $(if $(BRIEF),--brief)

image: setup  ## build the container image from autograder/Containerfile
	$(BIN)/gradetape image build

CORPUS ?= sandbox
image-ci: setup  ## build the image on a stand-in base without a registry, and grade in it; CORPUS=whole: all attacks
	GRADETAPE_TEST_CORPUS=$(CORPUS) $(BIN)/python -m scripts.image_ci

image-ci-build: setup  ## only build that image; image-ci then takes it from podman's cache
	$(BIN)/python -m scripts.image_ci build

gpu-check: setup  ## grade the examples on a GPU and write a report; OPTIONS="--workers 8" and others
	$(BIN)/python -m scripts.gpu_check $(OPTIONS)

BLOWS ?= 100
torture: setup  ## kill processes of a grader at random, BLOWS times, and show that nothing is lost
	$(BIN)/python -m tests.torture --blows $(BLOWS) $(if $(SEED),--seed $(SEED))

SECONDS ?= 600
fuzz: setup  ## send malformed data to every channel between the processes, for SECONDS
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

MINUTES ?= 12
bench: setup  ## run the benchmarks; PARTS="tiny whole" runs some, DOCS=1 writes their figures into docs/benchmarks.md
	$(BIN)/python -m benchmarks $(PARTS) --minutes $(MINUTES) $(if $(DOCS),--write docs/benchmarks.md)

screenshots: grade  ## retake the screenshots in docs/ from the pages that `make grade` writes
	$(BIN)/python -m scripts.screenshots results

docs: setup  ## build the documentation site in site/
	$(BIN)/mkdocs build --strict

wheel: setup  ## build the installable package in dist/
	$(BIN)/hatchling build -t wheel

grader_config.schema.json: src/gradetape/course/config.py | .venv/.stamp
	$(BIN)/python -m gradetape.course.config > $@

clean:  ## remove everything that can be built again; keep results
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist site
