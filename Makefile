# make help lists what there is. Every target sets up .venv by itself the first time.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
export PYTHONPATH := $(CURDIR)
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)  # in a container you are often root
.DEFAULT_GOAL := help
.PHONY: help setup book test lab student release collect grade feedback formgrader export requests yardstick bench mutants checks hubtest clean

help: ## this list
	@echo "make book                         run the lessons and build the book"
	@echo "make lab                          open JupyterLab on the lessons"
	@echo "make test                         run every test"
	@echo "make student                      a kit for students, without solutions (in _build/student/)"
	@echo "make release LESSON=04_entropy    make an assignment to hand out (in classroom/release/)"
	@echo "make collect LESSON=04 FROM=x.zip put what Moodle, Canvas or Brightspace let you download into classroom/submitted/"
	@echo "make grade LESSON=04_entropy      grade what lies in classroom/submitted/<student>/<lesson>/"
	@echo "make formgrader LESSON=04_entropy read and score answers in words, in the browser"
	@echo "make feedback LESSON=04_entropy   write the feedback pages again, after grading answers in words"
	@echo "make export LESSON=04 TO=canvas   write the grades as Canvas or Moodle (TO=moodle) takes them"
	@echo "make requests LESSON=04_entropy   list what students ask to have graded again"
	@echo "make yardstick                    train every family on every data set and print the table (two hours)"
	@echo "make bench                        measure lessons, book, codec, sampling and grading"
	@echo "make mutants                      change the package 400 times and see whether its tests notice (an hour)"
	@echo "make checks LESSON=04             show which wrong answers each check catches, with which hint, and how fast"
	@echo "make hubtest                      run a JupyterHub with deploy/jupyterhub/ (as root; three accounts for minutes)"
	@echo "make clean                        remove what was generated, never anybody's work"
	@echo "EXCHANGE=path with release, grade, feedback: through nbgrader's exchange, on a JupyterHub"
	@echo "CLASSROOM=path moves the classroom folder; PYTHON=python3.12 picks the interpreter."

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c '' 2>/dev/null || \
	  { echo "Python 3.11 to 3.14 is needed; '$(PYTHON)' does not run. Install it, or say which: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m tools.setup

setup: $(READY)

book: $(READY) ## run what changed and build the book
	@$(RUN) -m tools.build_book

test: $(READY)
	@$(RUN) -m pytest -n 2 $(PYTEST)

lab: $(READY)
	@$(VENV)/bin/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/lessons $(AS_ROOT)

student: $(READY)
	@$(RUN) -m tools.student

release grade feedback formgrader requests: $(READY)
	@test -n "$(LESSON)" || { echo "say which lesson: make $@ LESSON=04_entropy"; exit 2; }
	@$(RUN) -m tools.classroom $@ $(LESSON) $(if $(filter release grade feedback,$@),$(if $(EXCHANGE),--exchange "$(EXCHANGE)"))

collect: $(READY)
	@test -n "$(LESSON)" -a -n "$(FROM)" || { echo "say which lesson, and the download: make collect LESSON=04_entropy FROM=submissions.zip"; exit 2; }
	@$(RUN) -m tools.classroom collect $(LESSON) "$(FROM)" $(if $(TIMES),--times "$(TIMES)")

export: $(READY) ## COLUMN="Entropy (4711)" names the assignment in Canvas
	@test -n "$(LESSON)" || { echo "say which lesson: make export LESSON=04_entropy TO=canvas"; exit 2; }
	@$(RUN) -m tools.classroom export $(LESSON) --to $(or $(TO),csv) $(if $(COLUMN),--column "$(COLUMN)")

yardstick: $(READY) ## any subset: MODELS="flow vae" DATA="digits ring" SEEDS=1
	@$(RUN) -m tools.yardstick $(if $(MODELS),--models "$(MODELS)") $(if $(DATA),--data "$(DATA)") $(if $(SEEDS),--seeds $(SEEDS)) $(if $(BUDGET),--seconds $(BUDGET))

mutants: $(READY) ## more or less: MUTANTS="--sample 800 --modules ppca,coding/huffman --seed 1"
	@$(RUN) -m tools.mutants $(MUTANTS)

checks: $(READY) ## of a lesson or of one exercise: LESSON=04.2
	@test -n "$(LESSON)" || { echo "say which lesson: make checks LESSON=04"; exit 2; }
	@$(RUN) -m tools.checks $(LESSON)

hubtest: $(READY) ## HUBTEST=folder: where its environment is kept
	@HUBTEST=$(or $(HUBTEST),/var/tmp/learning-data-hub) $(RUN) -m pytest -q -s -m slow tests/test_jupyterhub.py

bench: $(READY)
	@$(RUN) -m tools.bench

clean:
	@rm -rf _build .pytest_cache .hypothesis .ruff_cache *.egg-info
	@find . -path ./$(VENV) -prune -o -path ./classroom -prune -o -name __pycache__ -type d -print | xargs rm -rf
	@echo "removed _build and caches; kept $(VENV), classroom/ and progress.json"
