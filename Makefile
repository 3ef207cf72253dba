# A thin face over CMake: `make help` lists what there is. The presets are in CMakePresets.json.
PRESET ?= release
PREFIX ?= /usr/local
SECONDS ?= 60
MINUTES ?= 30
TARGET ?= holdfast_installable

build_dir = $(if $(filter release,$(1)),build,build-$(1))
BUILD := $(call build_dir,$(PRESET))
RELEASE := $(call build_dir,release)

# Messages on a terminal or in a log are in one language, so that tools can be written against them.
export LC_ALL := C.UTF-8

.DEFAULT_GOAL := build
.PHONY: help setup build install installable uninstall drill soak test test-asan test-tsan bench fuzz coverage lint dev asan tsan format clean

help:  ## list these targets
	@sed -nE 's/^([a-z][a-z-]*):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@echo '  PRESET=release|dev|asan|tsan chooses the build (build/ for release, build-<preset>/ for the others).'

setup:  ## install what building and testing needs, where it is missing (Debian packages: tools/packages.txt)
	@tools/setup

%/build.ninja: CMakePresets.json
	@cmake --preset $(if $(filter build,$*),release,$(patsubst build-%,%,$*)) >$*.log 2>&1 && \
	   { sed -n 's/^-- Holdfast/Holdfast/p' $*.log; rm -f $*.log; } || \
	   { cat $*.log; rm -f $*.log; echo 'make: cmake could not configure; `make setup` installs what it needs' >&2; exit 1; }

build: $(BUILD)/build.ninja  ## build the library and the binary, build/holdfast; no test
	@cmake --build $(BUILD) --target $(TARGET) $(BUILD_ARGS)

prefix := $(if $(filter /%,$(PREFIX)),$(PREFIX),$(CURDIR)/$(PREFIX))

# Under sudo only the installing itself is done as root: what is built stays the property of who has the sources.
as_owner = $(if $(SUDO_UID),$(if $(filter $(SUDO_UID),$(shell stat -c %u .)),sudo -u '#$(SUDO_UID)'))

install:  ## install library, headers, CMake package and, where it is built, the binary under PREFIX (/usr/local)
	@$(as_owner) $(MAKE) --no-print-directory installable PREFIX='$(prefix)'
	@cmake --install $(RELEASE)
	@chown --reference=$(RELEASE) $(RELEASE)/install_*.txt

# Where libraries belong (lib/x86_64-linux-gnu under /usr on Debian) depends on the prefix.
installable: $(RELEASE)/build.ninja
	@grep -qxF 'CMAKE_INSTALL_PREFIX:PATH=$(prefix)' $(RELEASE)/CMakeCache.txt || \
	   cmake -S . -B $(RELEASE) -DCMAKE_INSTALL_PREFIX='$(prefix)' >/dev/null
	@cmake --build $(RELEASE) --target holdfast_installable

uninstall:  ## remove what the last `make install` has installed
	@tools/uninstall $(RELEASE) $(if $(filter command environment,$(firstword $(origin PREFIX))),'$(prefix)')

# What CMake builds only where it can be built is demanded.
demand = grep -qs '^HOLDFAST_$(1):[A-Z]*=ON$$' $(2)/CMakeCache.txt || \
   cmake --preset $(patsubst build-%,%,$(2:build=release)) -DHOLDFAST_$(1)=ON >/dev/null

drill: setup  ## kill real Redis masters under a running workload and see what it costs (ARGS='--fault kill --runs 3')
	@$(MAKE) --no-print-directory $(RELEASE)/build.ninja
	@$(call demand,APPS,$(RELEASE))
	@cmake --build $(RELEASE) --target holdfast_app
	@$(RELEASE)/holdfast drill $(ARGS)

soak: setup  ## mixed commands through bad networks and failovers, MINUTES=30, compared with the servers (ARGS='--seed 7 --json')
	@$(MAKE) --no-print-directory $(RELEASE)/build.ninja
	@$(call demand,TESTS,$(RELEASE))
	@cmake --build $(RELEASE) --target soak
	@$(RELEASE)/test/soak/soak --minutes $(MINUTES) $(ARGS)

test: setup  ## run every check and every test; the last line says how many cases passed and failed
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	@$(call demand,APPS,$(BUILD))
	@$(call demand,TESTS,$(BUILD))
	@tools/run_tests --preset $(PRESET) $(ARGS)

test-asan:  ## the same under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory test PRESET=asan

test-tsan:  ## the same under the thread sanitizer
	@$(MAKE) --no-print-directory test PRESET=tsan

bench: setup  ## raw, hiredis and Holdfast side by side; writes build/bench.json (ARGS='--only get --rounds 5')
	@$(MAKE) --no-print-directory $(RELEASE)/build.ninja
	@$(call demand,TESTS,$(RELEASE))
	@cmake --build $(RELEASE) --target bench
	@tools/bench $(ARGS)

fuzz:  ## let libFuzzer go on, SECONDS=60 for each target (ARGS='--only resp'; installs clang-19 where it is missing)
	@tools/setup fuzz
	@tools/fuzz --seconds $(SECONDS) $(ARGS)

coverage:  ## which lines of core to engine the pure tests run (gcovr; installed where it is missing): 97 % at least
	@tools/setup coverage
	@find build-coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory test PRESET=coverage ARGS=--chosen
	@gcovr

lint:  ## clang-tidy over src/, include/ and apps/ (.clang-tidy; installed where it is missing)
	@tools/setup lint
	@cmake --preset lint >/dev/null
	@run-clang-tidy-19 -quiet -p build-lint -extra-arg=-w '^$(CURDIR)/(src|apps|build-lint/CMakeFiles|build-lint/apps)/'

dev asan tsan:  ## build with that preset, into build-<preset>
	@$(MAKE) --no-print-directory build PRESET=$@

format:  ## format every C++ file as tools/tidy wants it
	@git -c safe.directory='*' ls-files -co --exclude-standard -- '*.cpp' '*.hpp' | xargs -r clang-format-19 -i

clean:  ## remove what was built
	@rm -rf build build-dev build-asan build-tsan build-fuzz build-coverage build-lint
