# Every habit has one command; `make help` lists them.
# Each target does only what is missing or out of date, so running it twice costs nothing.

PYTHON ?= python3
BIN    := .venv/bin
PEERS  := .venv-peers
OUT    := out
PIP    := -m pip --disable-pip-version-check --quiet

# What the extension and the installed metadata are made from. An edit in src/ is live at once; a folder is newer
# when a module in it came or went, and the editable install lists the modules.
NATIVE := CMakeLists.txt pyproject.toml $(shell find core -type f)
FOLDERS := $(shell find src -type d -not -name __pycache__)
SOURCE := $(shell find src -name '*.py' -o -name '*.pyi' -o -name py.typed)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build demo test lint types warnings sanitize wheel profile bench bench-quick peers map parity soak clean

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 | \2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1   \2/p' $(MAKEFILE_LIST)

build: .venv/.installed  ## make .venv, compile the core, install Lamina (edits in src/ are live)

demo: build  ## train on examples/breast_cancer.csv and save the model in out/
	@mkdir -p $(OUT)
	$(BIN)/lamina train examples/breast_cancer.csv --target diagnosis --out $(OUT)/breast_cancer.keras

test: build .venv/.test  ## run the tests in two processes (make test ARGS="tests/graph -x" for some of them)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal $(ARGS)

lint: build .venv/.dev  ## ruff, and the one direction of imports
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: build .venv/.dev  ## mypy, strict, on the whole package
	$(BIN)/mypy

warnings: .venv/.tools  ## compile the core with every warning an error
	@$(BIN)/cmake -S . -B build/warnings -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja -DLAMINA_WERROR=ON \
	  -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python --log-level=WARNING
	$(BIN)/cmake --build build/warnings

sanitize: sanitize-address sanitize-thread  ## test the core with memory, undefined behaviour and races watched (ARGS)

wheel: dist/.made  ## build the wheel in dist/ and try it in an environment of its own

profile: build  ## where a training step's time goes, by instruction (RUNG=small, ARGS=--threads=2)
	$(BIN)/python tools/profile.py $(or $(RUNG),small) $(ARGS)

bench: build $(PEERS)/.made  ## measure every figure against every peer; writes results, tables and plots
	$(BIN)/python benchmarks/run.py --peer-python $(PEERS)/bin/python $(ARGS)
	$(BIN)/python tools/readme_table.py
	$(BIN)/python tools/benchmark_page.py
	$(PEERS)/bin/python tools/benchmark_plots.py

bench-quick: build $(PEERS)/.made  ## a look at the small rungs, each once (ARGS="--parts shapes"); writes nothing
	$(BIN)/python benchmarks/run.py --peer-python $(PEERS)/bin/python --rungs tiny,small --rounds 1 \
	  --parts plain,dressed,prediction $(ARGS)

peers: $(PEERS)/.made  ## make .venv-peers with the libraries that the benchmarks compare with

map:  ## write the list of files at the end of ARCHITECTURE.md
	$(BIN)/python tools/architecture_map.py

parity: build .venv/.test  ## random models next to real Keras, from the case tables (SEED=1 CASES=2000)
	PYTHONPATH=tests:tests/parity $(BIN)/python -m drawn --seed $(or $(SEED),1) --cases $(or $(CASES),2000) $(ARGS)

soak: build  ## train random networks again and again: same bits, no growth of memory (MINUTES=5)
	$(BIN)/python tools/soak.py --minutes $(or $(MINUTES),5)

clean:  ## remove everything that these commands made
	rm -rf .venv $(PEERS) build dist $(OUT) src/lamina/_core*.so
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

# What the commands above stand on: each stamp says that a step was done.

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lamina needs Python 3.11 or later; \
	this is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	@touch $@

# What builds the core. No isolated build environment, so that a second build compiles only what changed.
.venv/.tools: .venv/.made pyproject.toml
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], \
	  "cmake>=3.26", "ninja", sep="\n")' > .venv/tools.txt
	$(BIN)/python $(PIP) install -r .venv/tools.txt
	@touch $@

.venv/.installed: .venv/.tools $(NATIVE) $(FOLDERS)
	$(BIN)/python $(PIP) install --no-build-isolation --editable .
	@touch $@

.venv/.test .venv/.dev: .venv/.%: .venv/.made pyproject.toml
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"] \
	  ["optional-dependencies"]["$*"], sep="\n")' > .venv/$*.txt
	$(BIN)/python $(PIP) install -r .venv/$*.txt
	@touch $@

# A sanitizer's library must be the process's first, and C++'s be there when it looks for what it wraps. Python leaks by
# itself; its own allocator would hide arrays that are overrun; threads of NumPy's library are not watched. A report goes
# to the terminal, past pytest, and ends the run.
SANITIZE_address := address,undefined
LIBRARY_address  := libasan.so
OPTIONS_address  := ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc
TESTS_address    := tests/plan/test_core.py tests/models/test_threads.py
SANITIZE_thread  := thread
LIBRARY_thread   := libtsan.so
OPTIONS_thread   := TSAN_OPTIONS=halt_on_error=1 OPENBLAS_NUM_THREADS=1
TESTS_thread     := tests/plan/test_threads.py tests/models/test_threads.py \
  tests/core/test_machine_runs.py::test_two_python_threads_may_share_a_workspace

sanitize-%: build/sanitize-%/.made .venv/.test .venv/.installed
	LD_PRELOAD="$$($(CXX) -print-file-name=$(LIBRARY_$*)) $$($(CXX) -print-file-name=libstdc++.so)" $(OPTIONS_$*) \
	  $(BIN)/python -m pytest -q -x --capture=sys -p no:cacheprovider --core $(@:%=build/%)/_core*.so \
	  $(or $(ARGS),$(TESTS_$*))

.PRECIOUS: build/sanitize-%/.made
build/sanitize-%/.made: .venv/.tools $(NATIVE)
	@$(BIN)/cmake -S . -B $(@D) -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja -DCMAKE_BUILD_TYPE=None \
	  -DLAMINA_SANITIZE=$(SANITIZE_$*) -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python --log-level=WARNING
	@MAKEFLAGS= $(BIN)/cmake --build $(@D)
	@touch $@

$(PEERS)/.made: .venv/.made benchmarks/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python $(PIP) install -r benchmarks/requirements.txt
	@touch $@

dist/.made: .venv/.tools $(NATIVE) $(SOURCE) tools/check_wheel.py
	@rm -rf dist && mkdir -p dist
	$(BIN)/python $(PIP) wheel --no-build-isolation --no-deps --wheel-dir dist .
	$(BIN)/python tools/check_wheel.py dist
	@touch $@
