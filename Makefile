# The commands of the house. Each does only what changed since the last run.
#
#   make demo       set up, build, and run examples/demo.sh
#   make check      set up, build, and run every test; last line: N passed, N failed
#   make check-san  build with sanitizers, run the tests chosen for them; the same
#                   last line; 30 minutes on two cores
#   make bench      build and run the benchmarks
#   make dist       one archive that runs where no LLVM is, in dist/
#   make format     format the C++ sources

BUILD ?= build
NINJA ?= ninja
CMAKE_FLAGS ?=
export DTENSOR_VENV ?= $(BUILD)/venv

.PHONY: all demo check check-san bench dist format setup setup-tests

all: setup $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD)

setup:
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh --tests

# CMake runs again by itself when a CMakeLists.txt changes.
$(BUILD)/build.ninja: | setup
	cmake -G Ninja -S . -B $(BUILD) $(CMAKE_FLAGS)

demo: setup $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD) dtensor-products
	DTENSOR_BUILD=$(abspath $(BUILD)) examples/demo.sh

check: setup-tests $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD) dtensor-test-depends
	@scripts/run-tests.py $(BUILD)

check-san: setup-tests $(BUILD)/build.ninja
	@scripts/check-sanitizers.sh $(BUILD)

bench: setup $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD) dtensor-products dtensor-benchmarks
	@scripts/run-benchmarks.sh $(BUILD)

dist: setup $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD) dtensor-compile dtensor-opt dtensor-run \
	  DTensorCompiler dtensor-reference
	@scripts/make-dist.sh $(BUILD)

format:
	@scripts/check-format.sh --fix
