# SPDX-License-Identifier: Apache-2.0
# One file, no recursion into folders. A .c file in a unit's folder is in the unit. `make help` lists targets and knobs.

MODE ?= release
BUILD ?= build/$(MODE)
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(MODE)),clang,gcc)
endif
ifeq ($(origin AR),default)
AR := ar
endif
CLANG ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS ?= $(if $(filter debug asan tsan cov,$(MODE)),-O1 -g,-O2 -g)

# Where things go. Every directory may be set on the command line; DESTDIR stands before all of them.
PREFIX ?= /usr
SYSCONFDIR ?= /etc
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec
LIBDIR ?= $(PREFIX)/lib$(addprefix /,$(shell $(CC) -print-multiarch 2>/dev/null))
PAMDIR ?= $(LIBDIR)/security
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
PAMCONFDIR ?= $(PREFIX)/share/pam-configs

FUZZ_SECONDS ?= 30
# nss-long; each may also be given to check.
NSS_LONG := NSS_FLIPS=1000000 NSS_CALLS=1000000 NSS_STORM_SECONDS=60
# bench-nss: which systems are compared with ours, and with how many accounts. All but `files` come from packages, in a tree that is thrown away.
PEERS ?= files extrausers cache sssd nscd systemd oslogin-cache
SIZES ?= 1000 100000 1000000
WERROR ?=

# --- flags ---------------------------------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wconversion -Wswitch-enum -Wformat=2 -Wvla -Wshadow -Wstrict-prototypes -Wmissing-prototypes
HARDEN := -fstack-protector-strong $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=2)
SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SANITIZE_tsan := -fsanitize=thread
SANITIZE_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
SANITIZE_cov := --coverage
MODE_FLAGS_release := $(HARDEN)
MODE_FLAGS_debug := -fstack-protector-strong
MODE_FLAGS := $(MODE_FLAGS_$(MODE)) $(SANITIZE_$(MODE))
ifeq ($(filter release debug asan tsan cov fuzz,$(MODE)),)
$(error MODE is one of release debug asan tsan cov fuzz, not "$(MODE)")
endif

OUR_CPPFLAGS := -D_GNU_SOURCE -Iinclude
OUR_CFLAGS := -std=c11 -fvisibility=hidden $(WARNINGS) $(if $(filter 1 yes,$(WERROR)),-Werror) $(MODE_FLAGS)
OUR_LDFLAGS := -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE_$(MODE))
SHARED_LDFLAGS := -shared $(if $(filter fuzz,$(MODE)),,-Wl,-z,defs)
DIRS_DEFINE = -DCLUSTER_SYSCONFDIR='"$(SYSCONFDIR)/cluster-login"' -DCLUSTER_LIBEXECDIR='"$(LIBEXECDIR)/cluster-login"' \
	-DCLUSTER_BINDIR='"$(BINDIR)"' -DCLUSTER_SBINDIR='"$(SBINDIR)"' -DCLUSTER_PAMDIR='"$(PAMDIR)"'

# pkg-config runs when a recipe first needs it, once per package: it may be installed by `deps` in the same run.
lazy = $(if $(filter undefined,$(origin $(1))),$(eval $(1) := $(shell $(2))))$($(1))
pkg_cflags = $(foreach p,$(1),$(call lazy,CFLAGS_of_$(p),$(PKG_CONFIG) --cflags $(p)))
pkg_libs = $(foreach p,$(1),$(call lazy,LIBS_of_$(p),$(PKG_CONFIG) --libs $(p)))

# --- units: folder, packages, output, what it links ------------------------------------------------------------------------------

UNITS := core trust net nss pam principals agent authority cli
DIR_core := lib/core
DIR_trust := lib/trust
DIR_net := lib/net
DIR_nss := nss_cluster
DIR_pam := pam_cluster
DIR_principals := sshd_principals
DIR_agent := agent
DIR_authority := authority
DIR_cli := cli

PKGS_trust := libcrypto jansson
PKGS_net := libcurl
PKGS_pam := pam
PKGS_agent := libevent_core libevent_extra
PKGS_authority := libevent_core libevent_extra libevent_openssl libssl libcrypto sqlite3
PKGS_cli := smartcols

# Libraries of ours that a unit links, highest first; their packages follow from them.
USES_trust := core
USES_net := trust core
USES_nss := core
USES_pam := trust core
USES_principals := trust core
USES_agent := net trust core
USES_authority := trust core
USES_cli := net trust core

OUT_core := $(BUILD)/libcore.a
OUT_trust := $(BUILD)/libtrust.a
OUT_net := $(BUILD)/libnet.a
OUT_nss := $(BUILD)/libnss_cluster.so.2
OUT_pam := $(BUILD)/pam_cluster.so
OUT_principals := $(BUILD)/cluster-login-principals
OUT_agent := $(BUILD)/cluster-agentd
OUT_authority := $(BUILD)/cluster-authorityd
OUT_cli := $(BUILD)/cluster-login
LIB_UNITS := core trust net
MODULE_UNITS := nss pam
PROGRAM_UNITS := principals agent authority cli
# Without the compiler's start files: the module has no constructors, and each page and symbol less is time and memory in every process that loads it. So
# is each segment: what is only read and what runs are one.
LDFLAGS_nss := -Wl,-soname,libnss_cluster.so.2 -Wl,--version-script=nss_cluster/nss_cluster.map -Wl,-Bsymbolic-functions -Wl,-z,noseparate-code $(if $(filter release debug,$(MODE)),-nostartfiles)
LDFLAGS_pam := -Wl,--version-script=pam_cluster/pam_cluster.map

$(foreach u,$(UNITS),$(eval SRC_$(u) := $(sort $(wildcard $(DIR_$(u))/*.c))))
# The parts of the command line that ssh starts for each login are linked once more, without network and tables.
ASKPASS_SRC := $(filter cli/main_askpass.c,$(SRC_cli))
SRC_cli := $(filter-out $(ASKPASS_SRC),$(SRC_cli))
OUT_askpass := $(if $(ASKPASS_SRC),$(BUILD)/cluster-login-askpass)
$(foreach u,$(UNITS),$(eval OBJ_$(u) := $(SRC_$(u):%.c=$(BUILD)/%.o)))
$(foreach u,$(UNITS),$(eval UNIT_OF_$(DIR_$(u)) := $(u)))
# Units that have sources; the others are skipped silently.
HAVE := $(foreach u,$(UNITS),$(if $(SRC_$(u)),$(u)))
have = $(filter $(1),$(HAVE))
archives = $(foreach u,$(call have,$(1)),$(if $(filter $(u),$(LIB_UNITS)),$(OUT_$(u)),$(BUILD)/lib$(u)-parts.a))
# `have` keeps the order of UNITS, low layers first; a linker wants the high ones first.
ordered = $(foreach u,cli authority agent principals pam nss net trust core,$(filter $(u),$(1)))
link_archives = $(call archives_in_order,$(call ordered,$(call have,$(1))))
archives_in_order = $(foreach u,$(1),$(call archives,$(u)))
packages = $(sort $(foreach u,$(1),$(PKGS_$(u))))

# --- tests: programs and what each links ------------------------------------------------------------------------------------------

TEST_GROUPS := pam nss agent authority cli faults system
TEST_SRC := $(sort $(wildcard tests/unit/*/test_*.c $(TEST_GROUPS:%=tests/%/*.c)))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
# tests/bench/bench_*.c run by themselves; what is in folders below is for the scripts: programs, parts that each of them links, NSS modules.
BENCH_SRC := $(sort $(wildcard tests/bench/*.c tests/bench/*/*.c))
HARNESS_SRC := $(sort $(wildcard tests/harness/*.c))
# tests/<group>/lib_*.c are shared objects to be preloaded or dlopened by a test: $(BUILD)/tests/<group>/lib_x.so
TEST_SO_SRC := $(filter $(TEST_GROUPS:%=tests/%/lib_%),$(TEST_SRC))
BENCH_SO_SRC := $(filter tests/bench/nss/lib_%,$(BENCH_SRC))
BENCH_PARTS_SRC := $(filter tests/bench/nss/world_%,$(BENCH_SRC))
# One program of all files of a folder.
BENCH_FANOUT_SRC := $(filter-out %/fanout.c,$(wildcard tests/bench/fanout/*.c))
BENCH_PROGRAM_SRC := $(filter-out $(BENCH_SO_SRC) $(BENCH_PARTS_SRC) $(BENCH_FANOUT_SRC),$(BENCH_SRC))
TEST_PROGRAM_SRC := $(filter-out $(TEST_SO_SRC),$(TEST_SRC))
TEST_PROGRAMS := $(TEST_PROGRAM_SRC:%.c=$(BUILD)/%)
TEST_SO := $(TEST_SO_SRC:%.c=$(BUILD)/%.so)
UNIT_TESTS := $(filter $(BUILD)/tests/unit/%,$(TEST_PROGRAMS))
FUZZERS := $(FUZZ_SRC:%.c=$(BUILD)/%)
BENCHES := $(patsubst %.c,$(BUILD)/%,$(filter tests/bench/bench_%,$(BENCH_SRC)))
BENCH_FILES := $(BENCH_PROGRAM_SRC:%.c=$(BUILD)/%) $(BENCH_SO_SRC:%.c=$(BUILD)/%.so)
BENCH_PARTS := $(if $(BENCH_PARTS_SRC),$(BUILD)/libbench-nss.a)
bench_parts = $(if $(filter tests/bench/nss/%,$(1)),$(BENCH_PARTS),$(if $(filter tests/bench/fanout/%,$(1)),$(BUILD)/libbench-fanout.a,$(HARNESS)))
HARNESS := $(if $(HARNESS_SRC),$(BUILD)/libharness.a)

# A unit test links its layer and what is below; tests/unit/pam links the module's parts, and so on.
first_word = $(firstword $(subst _, ,$(1)))
test_group = $(if $(filter tests/unit/%,$(1)),$(word 3,$(subst /, ,$(1))),$(word 2,$(subst /, ,$(1))))
uses_unit = $(filter $(UNITS),$(1)) $(USES_$(1))
USES_IN_pam := pam trust core
USES_IN_nss := nss trust core
USES_IN_agent := agent net trust core
USES_IN_authority := authority net trust core
USES_IN_cli := cli net trust core
USES_IN_system := trust core
USES_IN_faults := trust core
test_uses = $(if $(filter tests/unit/%,$(1)),$(call uses_unit,$(call test_group,$(1))),$(USES_IN_$(call test_group,$(1))))
# fuzz_nss_x links the NSS parts, fuzz_authority_x the authority's, and so on; every other fuzz_x links trust and core.
fuzz_word = $(call first_word,$(patsubst fuzz_%.c,%,$(notdir $(1))))
fuzz_uses = $(if $(filter $(UNITS),$(call fuzz_word,$(1))),$(call uses_unit,$(call fuzz_word,$(1))),trust core)
# A bench links trust and core unless it is named here.
USES_bench_million := agent net trust core
USES_bench_ssh_files := agent net trust core
USES_bench_import := authority net trust core
bench_uses = $(or $(USES_$(basename $(notdir $(1)))),$(if $(filter tests/bench/fanout/%,$(1)),authority net trust core),trust core)
test_pkgs = $(if $(filter tests/fuzz/%,$(1)),,cmocka $(if $(filter tests/unit/%,$(1)),,pam))

# Include paths and packages of one source file: its own folder, and for a test also the folder under test.
source_unit = $(UNIT_OF_$(patsubst %/,%,$(dir $(1))))
source_uses = $(if $(call source_unit,$(1)),$(call source_unit,$(1)),$(if $(filter tests/fuzz/%,$(1)),$(call fuzz_uses,$(1)),$(if $(filter tests/unit/% $(TEST_GROUPS:%=tests/%/%),$(1)),$(firstword $(call test_uses,$(1))),$(if $(filter tests/bench/%,$(1)),$(call bench_uses,$(1)),trust core))))
source_includes = $(if $(filter tests/%,$(1)),-I$(patsubst %/,%,$(dir $(1))) -Itests/harness $(foreach u,$(call source_uses,$(1)),-I$(DIR_$(u))),-I$(patsubst %/,%,$(dir $(1))))
source_pkgs = $(call packages,$(call source_uses,$(1))) $(if $(filter tests/%,$(1)),$(call test_pkgs,$(1)))
source_pic = $(if $(filter lib/% nss_cluster/% pam_cluster/% tests/harness/%,$(1))$(findstring /lib_,$(1)),-fPIC,-fPIE)
compile_flags = $(OUR_CPPFLAGS) $(call source_includes,$(1)) $(call pkg_cflags,$(call source_pkgs,$(1))) $(if $(filter cli/% agent/% authority/% sshd_principals/%,$(1)),$(DIRS_DEFINE)) $(CPPFLAGS) $(OUR_CFLAGS) $(call source_pic,$(1)) $(CFLAGS)

ALL_SRC := $(foreach u,$(UNITS),$(SRC_$(u))) $(ASKPASS_SRC) $(HARNESS_SRC) $(TEST_SRC) $(FUZZ_SRC) $(wildcard tests/fuzz/driver.c) $(BENCH_SRC)

# --- targets ----------------------------------------------------------------------------------------------------------------------

.PHONY: all $(UNITS) tests check demo demo-shell lint unit bench fuzz mutants cov install uninstall clean deps deps-bench deps-workbench deps-npm compile_commands.json help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
.DEFAULT_GOAL := all
Q := $(if $(V),,@)
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS))$(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
# The build directory of another mode, beside this one.
mode_build = $(if $(filter build/$(MODE),$(BUILD)),build/$(1),$(BUILD)-$(1))

all: $(foreach u,$(HAVE),$(OUT_$(u))) $(OUT_askpass)
$(foreach u,$(UNITS),$(eval $(u): $(if $(SRC_$(u)),$(OUT_$(u)))))
cli: $(OUT_askpass)
tests: all $(TEST_PROGRAMS) $(TEST_SO) $(FUZZERS)

# What was compiled with other flags, or from another list of files, is built again.
FLAGS_TEXT = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(OUR_CPPFLAGS) $(OUR_CFLAGS) $(OUR_LDFLAGS) $(DIRS_DEFINE)
write_if_changed = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@
$(BUILD)/flags: FORCE
	$(call write_if_changed,$(FLAGS_TEXT))
$(BUILD)/%.list: FORCE
	$(call write_if_changed,$(OBJ_$*))

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	$(Q)$(CC) $(call compile_flags,$<) -MMD -MP -c -o $@ $<

define archive_rule =
$(1): $(2) $(BUILD)/$(3).list
	@echo '  AR      $$@'
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $(2)
endef
$(foreach u,$(call have,$(LIB_UNITS)),$(eval $(call archive_rule,$(OUT_$(u)),$(OBJ_$(u)),$(u))))
# For tests: everything of a module or program but its main().
$(foreach u,$(call have,$(MODULE_UNITS) $(PROGRAM_UNITS)),$(eval $(call archive_rule,$(BUILD)/lib$(u)-parts.a,$(filter-out %/main.o,$(OBJ_$(u))),$(u))))
OBJ_harness := $(HARNESS_SRC:%.c=$(BUILD)/%.o)
$(if $(HARNESS_SRC),$(eval $(call archive_rule,$(BUILD)/libharness.a,$(OBJ_harness),harness)))
OBJ_bench_nss := $(BENCH_PARTS_SRC:%.c=$(BUILD)/%.o)
$(if $(BENCH_PARTS_SRC),$(eval $(call archive_rule,$(BUILD)/libbench-nss.a,$(OBJ_bench_nss),bench_nss)))
OBJ_bench_fanout := $(BENCH_FANOUT_SRC:%.c=$(BUILD)/%.o)
$(if $(BENCH_FANOUT_SRC),$(eval $(call archive_rule,$(BUILD)/libbench-fanout.a,$(OBJ_bench_fanout),bench_fanout)))

define module_rule =
$(OUT_$(1)): $(OBJ_$(1)) $(call link_archives,$(USES_$(1))) $(BUILD)/$(1).list $(wildcard $(DIR_$(1))/*.map)
	@echo '  LD      $$@'
	$$(Q)$$(CC) $$(OUR_LDFLAGS) $(SHARED_LDFLAGS) $(LDFLAGS_$(1)) $$(LDFLAGS) -o $$@ $(OBJ_$(1)) $(call link_archives,$(USES_$(1))) $$(call pkg_libs,$(call packages,$(1) $(USES_$(1))))
endef
$(foreach u,$(call have,$(MODULE_UNITS)),$(eval $(call module_rule,$(u))))

define program_rule =
$(OUT_$(1)): $(OBJ_$(1)) $(call link_archives,$(USES_$(1))) $(BUILD)/$(1).list
	@echo '  LD      $$@'
	$$(Q)$$(CC) $$(OUR_LDFLAGS) -pie $$(LDFLAGS) -o $$@ $(OBJ_$(1)) $(call link_archives,$(USES_$(1))) $$(call pkg_libs,$(call packages,$(1) $(USES_$(1))))
endef
$(foreach u,$(call have,$(PROGRAM_UNITS)),$(eval $(call program_rule,$(u))))

$(OUT_askpass): $(ASKPASS_SRC:%.c=$(BUILD)/%.o) $(call link_archives,cli trust core)
	@echo '  LD      $@'
	$(Q)$(CC) $(OUR_LDFLAGS) -pie $(LDFLAGS) -o $@ $^ $(call pkg_libs,$(call packages,trust))

# $(1) source, $(2) further objects and libraries, $(3) uses, $(4) further packages, $(5) further flags
define test_rule =
$(BUILD)/$(1:%.c=%): $(BUILD)/$(1:%.c=%.o) $(2) $(call link_archives,$(3))
	@echo '  LD      $$@'
	$$(Q)$$(CC) $$(OUR_LDFLAGS) -pie $(5) $$(LDFLAGS) -o $$@ $$< $(2) $(call link_archives,$(3)) $$(call pkg_libs,$(call packages,$(3)) $(4)) -ldl -lpthread
endef
$(foreach s,$(TEST_PROGRAM_SRC),$(eval $(call test_rule,$(s),$(HARNESS),$(call test_uses,$(s)),$(call test_pkgs,$(s)))))
$(foreach s,$(BENCH_PROGRAM_SRC),$(eval $(call test_rule,$(s),$(call bench_parts,$(s)),$(call bench_uses,$(s)),$(if $(filter tests/bench/bench_%,$(s)),$(call test_pkgs,$(s))))))
FUZZ_MAIN := $(if $(filter fuzz,$(MODE)),,$(BUILD)/tests/fuzz/driver.o)
$(foreach s,$(FUZZ_SRC),$(eval $(call test_rule,$(s),$(FUZZ_MAIN),$(call fuzz_uses,$(s)),,$(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer))))
$(TEST_SO) $(BENCH_SO_SRC:%.c=$(BUILD)/%.so): $(BUILD)/%.so: $(BUILD)/%.o
	@echo '  LD      $@'
	$(Q)$(CC) -shared $(SANITIZE_$(MODE)) $(LDFLAGS) -o $@ $< -ldl

# --- running ----------------------------------------------------------------------------------------------------------------------

export BUILD MODE CC CLANG PKG_CONFIG PEERS SIZES
RUN = tests/run

# `make check`: everything, and at its very end "N passed, M failed".
check: deps deps-workbench deps-npm
	+@$(MAKE) --no-print-directory $(JOBS) WERROR=1 tests compile_commands.json
	@WERROR=1 $(RUN) lint unit pam nss agent authority cli fuzz faults system

lint: all compile_commands.json
	@$(RUN) lint

# All unit tests, one: make unit UNIT=core/test_rd, make unit-rd; or those of one layer: make unit-core.
unit: $$(if $$(UNIT),$$(BUILD)/tests/unit/$$(UNIT),$$(UNIT_TESTS))
	@$(RUN) $(if $(UNIT),$(BUILD)/tests/unit/$(UNIT),unit)
unit_named = $(filter $(BUILD)/tests/unit/$(1)/% %/$(1) %/test_$(1),$(UNIT_TESTS))
unit-%: $$(call unit_named,$$*)
	@$(RUN) $(or $^,$(error there is no unit test called "$*"))

# The real modules without real daemons: what .ci/run repeats under the sanitizers.
.PHONY: check-modules
check-modules: tests
	@$(RUN) unit pam nss fuzz

# The NSS tests in their long form, and once more as they are under ThreadSanitizer, the storm of threads, forks and renewals for a minute.
.PHONY: nss-long nss-tests
nss-tests: $(OUT_nss) $(filter $(BUILD)/tests/nss/%,$(TEST_PROGRAMS))
nss-long: nss-tests
	@TEST_SECONDS=1800 $(NSS_LONG) $(RUN) nss
	+@$(MAKE) --no-print-directory $(JOBS) MODE=tsan BUILD=$(call mode_build,tsan) nss-tests
	@BUILD=$(call mode_build,tsan) TEST_SECONDS=1800 NSS_STORM_SECONDS=60 $(RUN) $(patsubst $(BUILD)/%,$(call mode_build,tsan)/%,$(filter $(BUILD)/tests/nss/test_%,$(TEST_PROGRAMS)))

demo demo-shell: deps
	+@$(MAKE) --no-print-directory $(JOBS) all
	@packaging/demo/run $(if $(filter demo-shell,$@),--shell)

bench: all $(BENCH_FILES) deps-bench
	@set -e; for b in $(BENCHES) $(sort $(wildcard tests/bench/*.sh)); do echo "== $$b"; $$b; done
bench-nss: deps-bench
.PHONY: bench-fanout
bench-fanout: all $(BENCH_FILES)
	@tests/bench/fanout.sh
	@tests/bench/path.sh
bench-%: all $(BENCH_FILES)
	@$(or $(firstword $(wildcard tests/bench/$*.sh) $(filter %/bench_$* %/$*,$(BENCHES))),$(error there is no bench called "$*"))

# Each fuzz target for FUZZ_SECONDS under libFuzzer; `make fuzz FUZZ=conf` runs one. Corpus finds stay in the build directory.
fuzz:
	+@$(MAKE) --no-print-directory $(JOBS) MODE=fuzz BUILD=$(call mode_build,fuzz) CC=$(CLANG) fuzzers
	@set -e; for f in $(or $(patsubst %,fuzz_%,$(FUZZ)),$(notdir $(FUZZ_SRC:.c=))); do \
		d=$(call mode_build,fuzz)/corpus/$$f; s=tests/fuzz/corpus/$${f#fuzz_}; mkdir -p $$d; \
		echo "== $$f"; \
		$(call mode_build,fuzz)/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=5 -print_final_stats=1 -artifact_prefix=$$d/ $$d $$(test -d $$s && echo $$s); \
	done
.PHONY: fuzzers
fuzzers: $(FUZZERS)

mutants:
	@tests/mutants/run

# Line coverage of the library and the modules by unit, PAM and NSS tests.
cov:
	+@$(MAKE) --no-print-directory $(JOBS) MODE=cov BUILD=$(call mode_build,cov) tests
	@BUILD=$(call mode_build,cov) $(RUN) unit pam nss fuzz
	@BUILD=$(call mode_build,cov) tests/lint/coverage

clean:
	rm -rf $(BUILD) $(foreach m,debug asan tsan cov fuzz,$(call mode_build,$(m))) compile_commands.json

# Written by make itself: all commands together are too long for one shell.
json_text = $(subst ",\",$(1))
comma := ,
source_json = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(call json_text,$(CC) $(strip $(call compile_flags,$(1))) -c $(1))"}$(if $(filter-out $(lastword $(ALL_SRC)),$(1)),$(comma))
compile_commands.json:
	$(shell mkdir -p $(BUILD))$(file >$(BUILD)/$@,[)$(foreach s,$(ALL_SRC),$(file >>$(BUILD)/$@,$(call source_json,$(s))))$(file >>$(BUILD)/$@,])
	@cmp -s $(BUILD)/$@ $@ || cp $(BUILD)/$@ $@

# --- packages this needs ------------------------------------------------------------------------------------------------------------

DEPS_BUILD := pkg-config libpam0g-dev libssl-dev libjansson-dev libcurl4-openssl-dev libevent-dev libsqlite3-dev libsmartcols-dev libcmocka-dev
DEPS_TEST := openssh-server openssh-client sudo rsync libnss-wrapper mandoc shellcheck clang libclang-rt-14-dev iproute2 strace openssl git zsh fish putty-tools python3-paramiko sshpass procps python3 ansible-core cron
DEPS_WORKBENCH := chromium cockpit-ws cockpit-bridge cockpit-system python3-websocket
DEPS_NPM := ssh2@1.17.0
DEPS_BENCH := mmdebstrap strace
APT_GET := RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get

# $(1): packages that have to be there.
define install_missing
@command -v dpkg-query >/dev/null || { echo 'deps: not a Debian system; what has to be there: $(1)' >&2; exit 0; }; \
missing=; for p in $(1); do \
	dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; \
done; \
[ -n "$$missing" ] || exit 0; \
if [ "$$(id -u)" -ne 0 ]; then \
	{ echo 'deps: these packages are missing; as root:'; echo "  apt-get install --no-install-recommends$$missing"; } >&2; exit 1; \
fi; \
echo "deps: installing$$missing"; \
$(APT_GET) update -qq >&2 && $(APT_GET) install -y -qq --no-install-recommends $$missing >/dev/null
endef

deps:
	$(call install_missing,$(DEPS_BUILD) $(DEPS_TEST))

# Without them the system tests skip what needs them, and say so: a browser and a web console, and a client that comes from npm only.
deps-workbench: deps
	-$(call install_missing,$(DEPS_WORKBENCH))
deps-npm:
	-@[ -d $(BUILD)/npm/node_modules/ssh2 ] || ! command -v npm >/dev/null || { mkdir -p $(BUILD)/npm && \
		timeout 60 npm install --prefix $(BUILD)/npm --ignore-scripts --omit=optional --no-audit --no-fund --silent $(DEPS_NPM); }

# Without them a bench leaves out what needs them, and says so.
deps-bench:
	-$(if $(PEERS),$(call install_missing,$(DEPS_BENCH)))

# --- install --------------------------------------------------------------------------------------------------------------------------

SUBST = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' -e 's|@PAMDIR@|$(PAMDIR)|g'
MAN_PAGES := $(sort $(foreach u,$(UNITS),$(wildcard $(DIR_$(u))/*.[1578])))
UNIT_FILES := $(sort $(wildcard packaging/systemd/*.service packaging/systemd/*.socket packaging/systemd/*.timer))
SYSUSERS := $(sort $(wildcard packaging/sysusers.d/*.conf))
PAM_CONFIGS := $(sort $(wildcard packaging/pam-configs/*))
DEST_nss = $(LIBDIR)/libnss_cluster.so.2
DEST_pam = $(PAMDIR)/pam_cluster.so
DEST_principals = $(LIBEXECDIR)/cluster-login/cluster-login-principals
DEST_agent = $(SBINDIR)/cluster-agentd
DEST_authority = $(SBINDIR)/cluster-authorityd
DEST_cli = $(BINDIR)/cluster-login
INSTALLED_UNITS := $(call have,$(MODULE_UNITS) $(PROGRAM_UNITS))
man_dest = $(MANDIR)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
DEST_askpass = $(LIBEXECDIR)/cluster-login/askpass
# another name of the command line: what scp and sftp start in place of ssh
LINKS = $(LIBEXECDIR)/cluster-login/cluster-login-ssh
INSTALLED = $(foreach u,$(INSTALLED_UNITS),$(DEST_$(u))) $(if $(call have,cli),$(LINKS) $(DEST_askpass)) $(foreach m,$(MAN_PAGES),$(call man_dest,$(m))) \
	$(UNIT_FILES:packaging/systemd/%=$(UNITDIR)/%) $(SYSUSERS:packaging/sysusers.d/%=$(SYSUSERSDIR)/%) $(PAM_CONFIGS:packaging/pam-configs/%=$(PAMCONFDIR)/%)
# $(1) mode, $(2) source, $(3) destination; text passes the substitution of directories
install_file = install -D -m $(1) $(2) $(DESTDIR)$(3)
install_text = install -d $(DESTDIR)$(dir $(2)) && $(SUBST) $(1) >$(DESTDIR)$(2).new && chmod 0644 $(DESTDIR)$(2).new && mv $(DESTDIR)$(2).new $(DESTDIR)$(2)

install: all
	@set -e; \
	$(foreach u,$(INSTALLED_UNITS),$(call install_file,$(if $(filter pam nss,$(u)),0644,0755),$(OUT_$(u)),$(DEST_$(u)));) \
	$(if $(call have,cli),$(call install_file,0755,$(OUT_askpass),$(DEST_askpass)); $(foreach l,$(LINKS),install -d $(DESTDIR)$(dir $(l)); ln -sfr $(DESTDIR)$(DEST_cli) $(DESTDIR)$(l);)) \
	$(foreach m,$(MAN_PAGES),$(call install_text,$(m),$(call man_dest,$(m)));) \
	$(foreach f,$(UNIT_FILES),$(call install_text,$(f),$(UNITDIR)/$(notdir $(f)));) \
	$(foreach f,$(SYSUSERS),$(call install_text,$(f),$(SYSUSERSDIR)/$(notdir $(f)));) \
	$(foreach f,$(PAM_CONFIGS),$(call install_text,$(f),$(PAMCONFDIR)/$(notdir $(f)));) \
	:

uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-rmdir $(DESTDIR)$(LIBEXECDIR)/cluster-login 2>/dev/null

define HELP
Targets
  all             every unit: $(UNITS) (each is a target of its own)
  demo            as root: a three-node cluster in namespaces, step by step; demo-shell stops inside it
  check           as root: build without warnings, lint, all tests; ends with "N passed, M failed"
  lint            layers, exports, budgets, forbidden calls, scripts, manual pages
  nss-long        NSS tests with a million flipped bits and a million calls during renewals; the storm of threads also under ThreadSanitizer
  unit            unit tests; UNIT=core/test_rd or the target unit-rd runs one, unit-core a layer's
  fuzz            libFuzzer, FUZZ_SECONDS=$(FUZZ_SECONDS) for each target; FUZZ=conf runs one
  bench           measurements; bench-<name> runs one: bench-login, bench-nss, bench-million (a node), bench-import (an authority), bench-fanout, bench-decision
  mutants         removes checks one by one; a test has to notice each
  cov             coverage of unit, PAM and NSS tests
  install         under DESTDIR; uninstall removes the same files
  deps            installs the Debian packages that are missing; deps-workbench, deps-npm: what two system tests need besides and are skipped without
  compile_commands.json  for editors and clang tools
  clean           removes the build directories
Knobs
  MODE=release|debug|asan|tsan|cov|fuzz   BUILD=$(BUILD)   WERROR=1   V=1 (show commands)
  PEERS="$(PEERS)" SIZES="$(SIZES)" of bench-nss
  CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG   belong to the packager
  PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) LIBDIR=$(LIBDIR) PAMDIR=$(PAMDIR)
  BINDIR=$(BINDIR) SBINDIR=$(SBINDIR) LIBEXECDIR=$(LIBEXECDIR) MANDIR=$(MANDIR)
endef
export HELP
help:
	@printf '%s\n' "$$HELP"

-include $(patsubst %.c,$(BUILD)/%.d,$(ALL_SRC))
