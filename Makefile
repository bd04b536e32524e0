# A fresh Debian machine needs only Python 3.10+, git and make. Everything else is set up
# here: `make lab` to look at it, `make test` to check it after a change.

PYTHON ?= python3
LAB_ARGS ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
# How long `make test-all` may take: a target that hangs must still end in a report.
MINUTES ?= 60

venv := .venv
py := $(venv)/bin/python
course := .venv-course
site := .venv-site
hub := .venv-hub
# Tests start hundreds of processes, and a lesson a kernel a notebook: with this set, each would compile all
# that it imports.
unexport PYTHONDONTWRITEBYTECODE
# JupyterLab refuses to run as root unless told that it may.
as_root := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab test test-all test-rest test-pythons test-course test-lite test-site test-hub exercises links docs gallery site slides walk bench bench-view bench-hub soak clean

help:
	@echo 'make lab           JupyterLab on the first notebook (LAB_ARGS="--no-browser --port 8899")'
	@echo 'make test          after a change: linter, types, all tests but most of those in a browser'
	@echo 'make test-all      everything: all tests, the other Pythons, Pyodide, the site, the course, a hub'
	@echo 'make test-pythons  the core tests on each other Python that is found'
	@echo 'make test-course   the tutorial as others meet it: Binder, Notebook 7, Voila, nbgrader, otter'
	@echo 'make test-lite     the core, testing and coach in Pyodide, the Python of a browser'
	@echo 'make test-site     the site, in a browser that reaches nothing else'
	@echo 'make test-hub      a class on a real JupyterHub: three users, two in a browser, a shared program'
	@echo 'make exercises     the exercises as students get them, in notebooks/exercises/student'
	@echo 'make links         the links in docs, pyproject and CITATION, after binder/repository.txt has changed'
	@echo 'make docs          the reference of the public names, from their docstrings, in docs/api'
	@echo 'make gallery       short recordings of the tutorial, one HTML file each, in docs/gallery/html'
	@echo 'make site          documentation and a lab that needs no server, as static files, in build/site'
	@echo 'make slides        the notebooks as slides for a lesson, in docs/slides'
	@echo 'make walk          the tutorial cell by cell in JupyterLab, as a laptop and a projector show it'
	@echo 'make bench         the benchmark (BENCH_ARGS)'
	@echo 'make bench-view    what the view costs, in a real JupyterLab (BENCH_ARGS)'
	@echo 'make bench-hub     what a class of 20 costs a JupyterHub (BENCH_ARGS)'
	@echo 'make soak          the random programs, for ten minutes (SOAK_SECONDS)'
	@echo 'make clean         remove what the others made'

# Its settings are in a file, not on the command line, so that LAB_ARGS may say otherwise.
lab: export JUPYTER_CONFIG_PATH := $(CURDIR)/.ci/jupyter$(if $(JUPYTER_CONFIG_PATH),:$(JUPYTER_CONFIG_PATH))
lab: $(venv)/has-lab
	$(py) -m jupyterlab $(as_root) $(LAB_ARGS)

test: $(venv)/has-test
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test $(py)

test-all:
	@.ci/test-all $(MINUTES)

test-rest: $(venv)/has-test
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test $(py) rest

test-pythons:
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test-pythons

test-course: $(course)/has-course
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test-course $(course)/bin/python

test-lite: $(venv)/has-test
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test-lite $(py)

test-site: $(venv)/has-test $(site)/has-site
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test-site $(py) $(site)/bin/python

test-hub: $(hub)/has-hub
	@PYTEST_ARGS='$(PYTEST_ARGS)' .ci/test-hub $(hub)/bin/python

# The script needs nothing but Python; run by a Python that has nbgrader, and without --plain, it
# takes nbgrader's own steps.
exercises:
	$(PYTHON) notebooks/exercises/make_student_version.py --plain

links:
	$(PYTHON) binder/links.py docs/links.md pyproject.toml CITATION.cff

slides: $(venv)/has-lab
	$(py) docs/slides.py docs/slides

docs: $(venv)/has-test
	$(py) docs/reference/make.py docs/api

gallery: $(venv)/has-test
	$(py) docs/gallery/make.py docs/gallery/html

site: $(site)/has-site
	.ci/site $(site)/bin/python build/site

walk: $(venv)/has-test
	$(py) -m pytest -m browser --numprocesses 2 tests/browser/test_walk.py

bench: $(venv)/has-test
	$(py) -m tests.benchmarks $(BENCH_ARGS)

bench-view: $(venv)/has-test
	$(py) -m tests.benchmarks.view $(BENCH_ARGS)

bench-hub: $(hub)/has-hub
	.ci/hub-proxy $(hub)
	$(hub)/bin/python -m tests.benchmarks.hub $(BENCH_ARGS)

soak: $(venv)/has-test
	$(py) -m tests.properties.soak

clean:
	rm -rf .venv .venv-* build dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/browser/screenshots notebooks/exercises/student
	rm -rf docs/api docs/gallery/html docs/slides
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made anew whenever pyproject.toml changes, so that a dependency which
# was dropped there is gone here too. A file in it tells which extras it has.
%/made: pyproject.toml
	.ci/venv '$(PYTHON)' $*
	@touch $@

# On all cores, where pip uses one. A file that is a template, and no Python, is no matter.
compile = -@$(1)/bin/python -m compileall -q -j 0 $(1)/lib task_thread widgets

$(venv)/has-lab: $(venv)/made
	$(py) -m pip install --quiet --no-compile --editable '.[lab]'
	$(call compile,$(venv))
	@touch $@

$(venv)/has-test: $(venv)/made
	$(py) -m pip install --quiet --no-compile --editable '.[lab,test]'
	$(call compile,$(venv))
	@touch $@ $(venv)/has-lab

# nbgrader and Voila bring much that the tutorial itself does without: an environment of its own.
$(course)/has-course: $(course)/made
	$(course)/bin/python -m pip install --quiet --no-compile --editable '.[lab,test,course]'
	$(call compile,$(course))
	@touch $@

# JupyterLite and Sphinx.
$(site)/has-site: $(site)/made
	$(site)/bin/python -m pip install --quiet --no-compile --editable '.[site]'
	$(call compile,$(site))
	@touch $@

# JupyterHub; its proxy comes from npm, see .ci/hub-proxy.
$(hub)/has-hub: $(hub)/made
	$(hub)/bin/python -m pip install --quiet --no-compile --editable '.[lab,test,hub]'
	$(call compile,$(hub))
	@touch $@
