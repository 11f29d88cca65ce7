# make setup   the environment, in .venv
# make demo    the whole study on 1,797 real handwritten digits, in minutes on two cores
# make quick   one net on CIFAR-10, 20 minutes on two cores (DATA=folder)
# make figures the figures and the page of an experiment, without retraining anything
# make plots   DVC's plots of a finished demo, as a page that works offline
# make adopt   take results that came from elsewhere as finished, once they are checked (CONFIG=)
# make verify  compare results with the checksums that their jobs recorded
# make release a finished training as models/NAME: fp16 or int8 weights and a card (FROM=, NAME=)
# make readme  what README.md and docs/ show of measurements; ADD=results/demo stores a run first
# make docs-config    config/README.md and the schema, from the models of the configuration
# make docs    the documentation as a site, in site/; a link that leads nowhere is an error
# make test    lint and all tests
# make test-faults    bad inputs, kills, full disks, flipped bits (KILLS=, FLIPS=, SEED=); a sample is part of make test
# make test-conda     the study through --use-conda alone; part of make test
# make test-dvc       dvc repro, push and pull alone; part of make test
# make test-slurm     the study on a SLURM cluster of two nodes; needs root (docs/slurm.md)
# make test-qemu      the exported C code on emulated microcontrollers (names the Debian packages)
# make test-neurobench  our counts of operations against NeuroBench's, which it installs beside the rest
# make test-simulators  model.nir in snnTorch, norse and sinabs, which it installs beside the rest
# make bench-search   our search against SNASNet's loop, on CIFAR-10 (DATA=folder)
# make bench-train    our training against SNASNet's and SpikingJelly's loops and its own convolutions (DATA=folder)
# make bench-time-to-accuracy  hours to 91 and 93.24 % on CIFAR-10, against SNASNet's loop (DATA=folder)
# make bench-recipe   what each part of recipe modern adds, on CIFAR-10 (DATA=folder, about 50 min)
# make bench-engine   what each part of recipe engine adds, at equal minutes (DATA=folder, hours)
# make bench-gradients  training on by binary steps, through time or through rates (DATA=folder, an hour)
# make lint    ruff, snakefmt, import layers, snakemake --lint, mypy

PYTHON ?= python3
CORES ?= 2
CONFIG ?= config/demo.yaml
DATA ?= data

VENV := .venv
INSTALLED := $(VENV)/.installed
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help setup demo quick release figures readme docs-config docs plots adopt verify test test-conda \
        test-faults test-dvc test-slurm test-qemu test-neurobench test-simulators lint lock bench-search bench-train \
        bench-time-to-accuracy bench-recipe bench-engine bench-gradients
help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

setup: $(INSTALLED)

# uv does not read pip's configuration: a folder of wheels that pip is told to look in (for
# instance one with a CPU build of PyTorch) is passed on; so are the certificates of the system.
$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, found %s: call make PYTHON=python3.11" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	UV_FIND_LINKS="$${UV_FIND_LINKS:-$$($(VENV)/bin/python -m pip config get global.find-links 2>/dev/null | paste -sd, -)}" \
	  $(VENV)/bin/uv pip install --system-certs --quiet --compile-bytecode --python $(VENV)/bin/python -r requirements.lock
	$(VENV)/bin/python envs/torchvision_repair.py
	@touch $@

demo: setup
	@snakemake --cores $(CORES) --configfile config/demo.yaml
	@echo; cat results/demo/tradeoff_report/summary.md
	@echo; if command -v "$${CC:-cc}" >/dev/null; then $(MAKE) -s -C results/demo/digits/export/c_int8 run; \
	  else echo "No C compiler: the exported C model in results/demo/digits/export was not run."; fi
	@echo; echo "Report: results/demo/tradeoff_report/report.html (open it in a browser)"
	@echo "Files for devices: results/demo/digits/export (begin with MODEL_CARD.md)"

quick: setup
	@python scripts/train_cell.py --config config/cifar10_quick.yaml --archid zero-zero-k3-zero-zero-zero \
	  --folder results/cifar10_quick --data-dir $(DATA) --threads $(CORES) --device cpu

release: setup
	@python scripts/release.py --training $(FROM) --folder models/$(NAME) --threads $(CORES) \
	  $(if $(PRECISION),--precision $(PRECISION))

# The rules that draw, and no other: whatever was edited, nothing is trained.
figures: setup
	snakemake --configfile $(CONFIG) --cores $(CORES) \
	  --allowed-rules figures tradeoff_table tradeoff_report -- figures

adopt: setup
	python scripts/adopt.py --config $(CONFIG)
	snakemake --configfile $(CONFIG) --cores 1 --touch --forceall --quiet all

readme: setup
	python tools/readme.py --project . $(if $(ADD),--add-runs $(ADD))

docs-config: setup
	python tools/document_config.py --project .

# In an environment of its own, so that `make setup` need not install what builds pages.
DOCS := .venv-docs
docs: setup
	uv venv --quiet --allow-existing --python $(VENV)/bin/python $(DOCS)
	uv pip sync --system-certs --quiet --python $(DOCS)/bin/python docs/requirements.lock
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict
	@echo "Documentation: site/index.html (open it in a browser)"

plots: setup
	python .dvc/offline_plots.py .dvc/tmp/plots.html
	dvc plots show --html-template .dvc/tmp/plots.html

verify: setup
	python scripts/verify_results.py --results results

test: lint
	python -m pytest -n $(CORES) --dist loadfile

KILLS ?= 3
FLIPS ?= 8
SEED ?= 0
test-faults: setup
	FAULTS=all FAULTS_KILLS=$(KILLS) FAULTS_FLIPS=$(FLIPS) FAULTS_SEED=$(SEED) \
	  python -m pytest -n $(CORES) --dist loadfile tests/faults

test-conda: setup
	python -m pytest tests/conda

test-dvc: setup
	python -m pytest tests/dvc

test-slurm: setup
	tests/slurm/with_cluster.sh python -m pytest tests/slurm

# Compiler and emulator are the system's. The tests would be skipped without them, as those of RISC-V
# are without its own (gcc-riscv64-unknown-elf, qemu-system-misc).
test-qemu: setup
	@for tool in arm-none-eabi-gcc qemu-system-arm; do command -v $$tool >/dev/null || { \
	  echo "error: $$tool is missing: apt-get install -y gcc-arm-none-eabi qemu-system-arm"; exit 1; }; done
	python -m pytest tests/unit/export/test_device.py

# NeuroBench asks for packages that its counters do not use, so it is installed alone, in a folder
# of its own; the import fails where the tests would only be skipped.
NEUROBENCH := $(VENV)/neurobench
test-neurobench: setup
	uv pip install --system-certs --quiet --python $(VENV)/bin/python --target $(NEUROBENCH) --no-deps \
	  neurobench==2.3.0 snntorch==0.9.4
	PYTHONPATH=$(NEUROBENCH) python -c 'import neurobench.metrics.workload, neurobench.models, snntorch'
	PYTHONPATH=$(NEUROBENCH) python -m pytest tests/unit/network/test_counters_agree.py

SIMULATORS := $(VENV)/simulators
test-simulators: setup
	uv pip install --system-certs --quiet --python $(VENV)/bin/python --target $(SIMULATORS) --no-deps \
	  snntorch==1.0.0 norse==1.1.0 sinabs==2.0.3 pbr==7.1.3
	PYTHONPATH=$(SIMULATORS) python -c 'import norse.torch, sinabs, snntorch'
	PYTHONPATH=$(SIMULATORS) python -m pytest tests/unit/export/test_nir_simulators.py

bench-search: setup
	python benchmarks/search_speed.py --data $(DATA)

bench-train: setup
	python benchmarks/train_speed.py --data $(DATA)

bench-time-to-accuracy: setup
	python benchmarks/time_to_accuracy.py --data $(DATA) --threads $(CORES)

bench-recipe: setup
	python benchmarks/recipe_ablation.py --data $(DATA) --output results/recipe_ablation.csv

bench-engine: setup
	python benchmarks/engine_ablation.py --data $(DATA) --output results/engine_ablation.csv \
	  --threads $(CORES)

bench-gradients: setup
	python benchmarks/gradient_phases.py --data $(DATA) --output results/gradient_phases.csv \
	  --threads $(CORES)

lint: setup
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	cd scripts && lint-imports --config ../pyproject.toml --no-logo
	mypy
	snakemake --lint --configfile config/demo.yaml

# A local build of PyTorch (2.13.0+cpu) is written without its suffix, so that the lock
# installs the CUDA build elsewhere.
COMPILE := uv pip compile --quiet --python-version 3.11 --no-emit-find-links --no-annotate --no-header
lock: setup
	for name in requirements docs/requirements; do \
	  $(COMPILE) $$name.in --output-file $$name.lock.new && \
	  sed --in-place 's/+cpu$$//' $$name.lock.new && mv $$name.lock.new $$name.lock || exit; done
