# TableSync: one non-recursive Makefile. `make help` lists the targets.
#
#   make            the release binary, build/release/tablesync
#   make test       install what is missing, check, build and test everything
#   make demo       a whole system on this machine, rows arriving, then all of it gone
#
# Variants live beside each other: make VARIANT=debug|asan|tsan|fuzz.

VERSION := 0.1.0
VARIANT ?= release
CI      ?=
B       := build/$(VARIANT)
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

PREFIX  ?= /usr/local
DESTDIR ?=

# --- compilers and flags -------------------------------------------------------------
CC := gcc
PKG_CONFIG ?= pkg-config

WARN_COMMON := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
  -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual -Wwrite-strings -Wundef \
  -Wnull-dereference -Wdouble-promotion -Wswitch-enum -Werror
WARN_GCC := -Wduplicated-cond -Wlogical-op -Wimplicit-fallthrough=5 -Walloc-zero

BASE_FLAGS := -std=gnu17 -D_GNU_SOURCE -Ireconciler -I. -pthread -fno-omit-frame-pointer

# Each architecture has a way of its own to keep jumps where they belong.
JUMPS_x86_64  := -fcf-protection=full
JUMPS_aarch64 := -mbranch-protection=standard
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
  $(JUMPS_$(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))) -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks \
  -fno-strict-overflow -fPIE
LINK_release  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
FLAGS_debug   := -Og -g
LINK_debug    :=
# Sanitizers replace hardening: FORTIFY and auto-init would hide what they look for.
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
LINK_asan     := -fsanitize=address,undefined
FLAGS_tsan    := -O1 -g -fsanitize=thread
LINK_tsan     := -fsanitize=thread
# libFuzzer comes with clang only. What is an error is gcc's to say: clang lacks some of its warnings,
# counts NAN as a float and dislikes must(!"reached").
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
  -Wno-error -Wno-double-promotion -Wno-string-conversion
LINK_fuzz     := -fsanitize=fuzzer,address,undefined
ifeq ($(VARIANT),fuzz)
CC       := clang
WARN_GCC :=
endif

PKGS := libcurl liblz4 libcjson yaml-0.1 libpq libmariadb sqlite3 libcrypto libmicrohttpd
# Found lazily, so that `make deps` works before anything is installed.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(PKGS) | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
LIBS_base  = $(eval LIBS_base := $$(shell $(PKG_CONFIG) --libs libcjson yaml-0.1 libcrypto))$(LIBS_base)
LIBS_kube  = $(eval LIBS_kube := $$(shell $(PKG_CONFIG) --libs libcurl liblz4))$(LIBS_kube)
LIBS_audit = $(eval LIBS_audit := $$(shell $(PKG_CONFIG) --libs sqlite3))$(LIBS_audit)
LIBS_db    = $(eval LIBS_db := $$(shell $(PKG_CONFIG) --libs libpq libmariadb))$(LIBS_db)
LIBS_loop  = $(eval LIBS_loop := $$(shell $(PKG_CONFIG) --libs libmicrohttpd))$(LIBS_loop)
LIBS_cmocka = $(eval LIBS_cmocka := $$(shell $(PKG_CONFIG) --libs cmocka libssl))$(LIBS_cmocka)

CFLAGS_ALL = $(BASE_FLAGS) $(WARN_COMMON) $(WARN_GCC) $(FLAGS_$(VARIANT)) $(PKG_CFLAGS)
LDFLAGS_ALL = $(LINK_$(VARIANT)) -pthread -Wl,--as-needed

# --- rooms: each links only what stands below it, so a wrong call does not link ---------
ROOMS := base kube model audit ddl db loop
BELOW_base  := base
BELOW_kube  := kube base
BELOW_model := model base
BELOW_audit := audit base
BELOW_ddl   := ddl model base
BELOW_db    := db ddl model base
BELOW_loop  := loop db ddl audit model kube base

libs_of = $(foreach r,$(BELOW_$(1)),$(LIBS_$(r)))
archives_of = $(foreach r,$(BELOW_$(1)),$(B)/lib$(r).a)

define room_rules
SRC_$(1) := $$(sort $$(wildcard reconciler/$(1)/*.c))
OBJ_$(1) := $$(SRC_$(1):%.c=$(B)/%.o)
$(B)/lib$(1).a: $$(OBJ_$(1))
	@rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

SRC_cmd := $(sort $(wildcard cmd/*.c cmd/*/*.c))
OBJ_cmd := $(SRC_cmd:%.c=$(B)/%.o)
BIN := $(B)/tablesync

.PHONY: all
all: $(BIN)

$(BIN): $(OBJ_cmd) $(call archives_of,loop)
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,loop)

# The poison header turns a banned call into a compile error in the product's own code.
$(B)/reconciler/%.o $(B)/cmd/%.o: CFLAGS_EXTRA := -include base/banned.h
$(B)/cmd/version.o: CFLAGS_EXTRA += -DTABLESYNC_VERSION='"$(VERSION)"'
$(B)/tests/%.o: CFLAGS_EXTRA := -Itests -Itests/sim

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc     $<$(if $(filter release,$(VARIANT)),, ($(VARIANT)))"
	@$(CC) $(CFLAGS_ALL) $(CFLAGS_EXTRA) -MMD -MP -c -o $@ $<

# --- C tests ------------------------------------------------------------------------
# tests/unit/<room>/test_*.c is one program each; other .c files there are shared doubles.
define unit_rules
UNIT_SHARED_$(1) := $$(filter-out $$(wildcard tests/unit/$(1)/test_*.c),$$(wildcard tests/unit/$(1)/*.c))
UNIT_BIN_$(1) := $$(patsubst tests/unit/$(1)/test_%.c,$(B)/unit/$(1)-%,$$(wildcard tests/unit/$(1)/test_*.c))
$$(UNIT_BIN_$(1)): $(B)/unit/$(1)-%: $(B)/tests/unit/$(1)/test_%.o $$(UNIT_SHARED_$(1):%.c=$(B)/%.o) $$(call archives_of,$(1))
	@mkdir -p $$(@D)
	@$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(call libs_of,$(1)) $$(LIBS_cmocka)
endef
$(foreach r,$(ROOMS),$(eval $(call unit_rules,$(r))))
UNIT_BINS := $(foreach r,$(ROOMS),$(UNIT_BIN_$(r)))

# The simulation: the loop over fake ports.
SIM_SRC := $(wildcard tests/sim/*.c)
SIM_BIN := $(if $(SIM_SRC),$(B)/sim/sim)
$(B)/sim/sim: $(SIM_SRC:%.c=$(B)/%.o) $(call archives_of,loop)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,loop) $(LIBS_cmocka)

# Small programs that integration tests drive.
DRIVER_BINS := $(patsubst tests/integration/drivers/%.c,$(B)/drivers/%,$(wildcard tests/integration/drivers/*.c))
$(DRIVER_BINS): $(B)/drivers/%: $(B)/tests/integration/drivers/%.o $(call archives_of,db)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,db)

# Fuzz targets: tests/fuzz/fuzz_*.c is one program each, of VARIANT=fuzz; the rest there is shared.
FUZZ_SHARED := $(filter-out $(wildcard tests/fuzz/fuzz_*.c),$(wildcard tests/fuzz/*.c))
FUZZ_BINS := $(patsubst tests/fuzz/fuzz_%.c,build/fuzz/targets/%,$(wildcard tests/fuzz/fuzz_*.c))
ifeq ($(VARIANT),fuzz)
$(FUZZ_BINS): $(B)/targets/%: $(B)/tests/fuzz/fuzz_%.o $(FUZZ_SHARED:%.c=$(B)/%.o) $(B)/libkube.a $(call archives_of,ddl)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_kube) $(call libs_of,ddl)
fuzz-bins: $(FUZZ_BINS)
else
fuzz-bins:
	@$(MAKE) VARIANT=fuzz fuzz-bins
endif

.PHONY: unit unit-bins system-bins sim-bin fuzz-bins
unit-bins: $(UNIT_BINS)
sim-bin: $(SIM_BIN)
system-bins: $(DRIVER_BINS) $(BIN)

# --- what people run ------------------------------------------------------------------
.PHONY: deps test test-minors demo unit fuzz check format bench bench-peers soak install image clean help
deps: ## install what building and testing need
	@tests/bootstrap/deps.sh

unit: deps ## unit, golden and simulation tests of this VARIANT
	@python3 tests/run.py --tiers unit --variant $(VARIANT)

fuzz: deps ## each fuzz target for FUZZ_SECONDS (60), from FUZZ_SEED (1)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} CI=$(CI) python3 tests/run.py --tiers fuzz

check: deps ## format, clang-tidy, layers, banned functions, headers alone, CRD and documents
	@python3 tests/run.py --tiers check

test: deps ## everything: check, unit, sanitizers, fuzz targets, simulation, stand-ins, integration
	@CI=$(CI) python3 tests/run.py

# The minors beside the one that everything else is run on.
KUBE_MINORS ?= 1.37
test-minors: deps ## all integration tests on the other minors of Kubernetes (KUBE_MINORS)
	@for minor in $(KUBE_MINORS); do \
	  echo "Kubernetes $$minor"; CI=$(CI) KUBE_MINOR=$$minor python3 tests/run.py --tiers integration || exit 1; \
	done

demo: deps ## a whole local system: kubectl apply, rows arriving, kubectl get tablesyncs
	@python3 tests/run.py --demo

bench: deps ## figures for README and DESIGN, and the comparison with peers (printed, never asserted)
	@python3 tests/run.py --bench

soak: deps ## SOAK_SECONDS (1800) of churn: memory and descriptors must stay flat
	@SOAK_SECONDS=$${SOAK_SECONDS:-1800} python3 tests/run.py --soak

bench-peers: deps ## the comparison alone; BENCH_IDLE_SECONDS=60 shortens its idle window of 600 s
	@python3 tests/run.py --bench-peers

format: ## rewrite the C files in the house style
	@clang-format -i $$(git ls-files 'cmd/*.[ch]' 'reconciler/*.[ch]' 'reconciler/*.def' 'tests/*.[ch]' | grep -v '\.def$$')

install: $(BIN) ## install the binary below DESTDIR/PREFIX/bin, also as kubectl's plugin
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/tablesync
	ln -sf tablesync $(DESTDIR)$(PREFIX)/bin/kubectl-tablesync
	ln -sf tablesync $(DESTDIR)$(PREFIX)/bin/kubectl_complete-tablesync

# One of docker, podman and buildah that works here, unless ENGINE says which. The commit's time stands for
# every file's and the image's own, so that one commit gives one image. IMAGE_ARGS=--platform=linux/arm64
# builds for another machine, where the engine can.
IMAGE      ?= tablesync
TAG        ?= $(VERSION)
ENGINE     ?=
IMAGE_ARGS ?=
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
image: ## the container image IMAGE:TAG, with docker, podman or buildah
	@engine=$(ENGINE); epoch=$(SOURCE_DATE_EPOCH); \
	for each in docker podman buildah; do \
	  [ -n "$$engine" ] || ! $$each info >/dev/null 2>&1 || engine=$$each; \
	done; \
	[ -n "$$engine" ] || { echo "make image: none of docker, podman and buildah is here and works" >&2; exit 1; }; \
	case $$engine in docker) stamp=;; *) stamp="--layers --timestamp $$epoch";; esac; \
	$$engine build $$stamp --build-arg SOURCE_DATE_EPOCH=$$epoch --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION="$$(git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null || echo unknown)" \
	  --build-arg CREATED="$$(date -u -d @$$epoch +%Y-%m-%dT%H:%M:%SZ)" $(IMAGE_ARGS) \
	  -t $(IMAGE):$(TAG) .

clean: ## remove build/ (the cache of downloaded and built programs stays)
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

# --- checks that are compilations ------------------------------------------------------
TIDY_SRC := $(sort $(SRC_cmd) $(foreach r,$(ROOMS),$(SRC_$(r))))
TIDY_STAMPS := $(TIDY_SRC:%.c=build/tidy/%.ok)
HEADERS := $(sort $(wildcard cmd/*.h cmd/*/*.h) $(wildcard reconciler/*/*.h))
ALONE_STAMPS := $(HEADERS:%.h=build/alone/%.ok)

.PHONY: tidy headers-alone
tidy: $(TIDY_STAMPS)
headers-alone: $(ALONE_STAMPS)

# What was found good is remembered beyond build/, under a digest of all that clang-tidy reads: its
# version and settings, the flags, and the source with everything it includes, comments as well.
TIDY_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tablesync/tidy
TIDY_FLAGS = $(BASE_FLAGS) $(PKG_CFLAGS) -DTABLESYNC_VERSION='"0"'
TIDY_KEY = { clang-tidy --version; cat .clang-tidy build/tidy/$*.i; echo "$(BASE_FLAGS)"; } | sha256sum | cut -c1-64

# -MMD's list of headers makes each stamp depend on content, not on trust.
build/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@echo "  tidy   $<"
	@$(CC) $(BASE_FLAGS) $(PKG_CFLAGS) -MM -MP -MT $@ -MF build/tidy/$*.d $<
	@clang -E -C $(TIDY_FLAGS) $< >build/tidy/$*.i
	@key=$$($(TIDY_KEY)) && rm build/tidy/$*.i && if [ ! -e "$(TIDY_CACHE)/$$key" ]; then \
	  clang-tidy --quiet --warnings-as-errors='*' $< -- $(TIDY_FLAGS) 2>build/tidy/$*.err >build/tidy/$*.out \
	  || { cat build/tidy/$*.out; grep -v 'warnings generated' build/tidy/$*.err; exit 1; }; \
	  mkdir -p "$(TIDY_CACHE)" && touch "$(TIDY_CACHE)/$$key"; fi
	@touch $@

build/alone/%.ok: %.h Makefile
	@mkdir -p $(@D)
	@$(CC) $(BASE_FLAGS) $(WARN_COMMON) $(PKG_CFLAGS) -MM -MP -MT $@ -MF build/alone/$*.d -x c $<
	@$(CC) $(BASE_FLAGS) $(WARN_COMMON) $(PKG_CFLAGS) -Wno-unused -fsyntax-only -x c $<
	@touch $@

-include $(shell find build -name '*.d' 2>/dev/null)
