# Countersign. `make deps` as root, then `make`, `make check`. The README says what each target is for.
SHELL = /bin/bash
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC = gcc
endif
KYE ?= ../shared/kye
VECTORS ?= ../shared/vectors

BUILD_PACKAGES = pkg-config libp11-dev libp11-kit-dev libsodium-dev libssl-dev libjansson-dev libsqlite3-dev \
	libsystemd-dev libinih-dev libpcre2-dev libseccomp-dev libcmocka-dev
TEST_PACKAGES = softhsm2 opensc python3 python3-jwcrypto systemd util-linux
LINT_PACKAGES = cppcheck

# pkg-config runs when a recipe needs it and once per library list: `make deps` may install it in the same run.
pkg = $(or $(pkg_$(1)_$(2)),$(eval pkg_$(1)_$(2) := $(shell pkg-config --$(1) $($(2)_PC)))$(pkg_$(1)_$(2)))
core_PC = jansson libsodium libcrypto libpcre2-8
token_PC = libp11 p11-kit-1
daemon_PC = libsystemd sqlite3 libseccomp
settings_PC = inih
test_PC = cmocka
all_PC = $(core_PC) $(token_PC) $(daemon_PC) $(settings_PC) $(test_PC)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual \
	-Wundef -Wwrite-strings -Wno-missing-field-initializers
HARDENING = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
GCC_HARDENING = -ftrivial-auto-var-init=zero
ifneq ($(findstring clang,$(CC)),)
GCC_HARDENING =
endif
OPTIMISE ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(OPTIMISE) $(WARNINGS) $(HARDENING) $(GCC_HARDENING) $(if $(WERROR),-Werror) \
	$(VARIANT) -Iinclude -Icore -Icommon -I. $(call pkg,cflags,all) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(VARIANT) $(LDFLAGS)

sources = $(sort $(wildcard $(addsuffix /*.c,$(1))))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE = $(call objects,$(call sources,core core/*)) $(BUILD)/obj/schemas/embedded.o
COMMON = $(call objects,$(call sources,common))
TOKEN = $(call objects,$(call sources,pkcs11))
SIGNER = $(call objects,$(call sources,pkcs11/signer))
DAEMON = $(call objects,$(call sources,appliance/daemon))
COMMAND = $(call objects,$(call sources,appliance/command))
PROVISION = $(call objects,$(call sources,provisioning))
FIXTURE = $(call objects,$(call sources,tests/fixture))
# The teeth variant alone links the switch that turns rules off.
ifdef TEETH
CORE += $(call objects,tests/teeth/rules_off.c)
endif
LIBCORE = $(BUILD)/lib/libcountersign-core.a
LIBTOKEN = $(BUILD)/lib/libcountersign-token.a
LIBCOMMON = $(BUILD)/lib/libcountersign-common.a
BIN = $(addprefix $(BUILD)/bin/,countersignd countersign-signer countersign countersign-provision)
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_TOKEN = $(patsubst tests/token/%.c,$(BUILD)/tests/token/%,$(wildcard tests/token/test_*.c))
CONFORMANCE = $(patsubst tests/conformance/%.c,$(BUILD)/tests/conformance/%,$(wildcard tests/conformance/test_*.c))
TOOLS = $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))
BENCH = $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))

.PHONY: all deps check check-unit check-integration asan asan-run lint demo conformance install clean bench soak \
	build-tests teeth teeth-build check-teeth
.DELETE_ON_ERROR:
all: $(BIN)

# `make -j deps demo` names both at once: then everything that compiles waits for deps.
DEPS_FIRST = $(filter deps,$(MAKECMDGOALS))

deps:
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES)

$(BUILD)/obj/%.o: %.c | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Embedded by the assembler, which writes no dependency.
$(BUILD)/obj/appliance/daemon/introspection.o: appliance/io.countersign.varlink

$(BUILD)/obj/schemas/embedded.c: schemas/embed.sh $(sort $(wildcard schemas/*.json)) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	sh schemas/embed.sh $(filter %.json,$^) > $@
$(BUILD)/obj/schemas/embedded.o: $(BUILD)/obj/schemas/embedded.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(LIBCORE): $(CORE)
$(LIBTOKEN): $(TOKEN)
$(LIBCOMMON): $(COMMON)
$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

link = mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
$(BUILD)/bin/countersignd: $(DAEMON) $(LIBCOMMON) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,daemon) $(call pkg,libs,settings)
$(BUILD)/bin/countersign-signer: $(SIGNER) $(LIBTOKEN) $(LIBCOMMON) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,token) $(call pkg,libs,settings) -ldl
$(BUILD)/bin/countersign: $(COMMAND) $(LIBTOKEN) $(LIBCOMMON) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,token) -ldl
$(BUILD)/bin/countersign-provision: $(PROVISION) $(LIBTOKEN) $(LIBCOMMON) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,token) -ldl

# core/ is linked alone by its tests: a stray dependency fails here.
$(UNIT) $(CONFORMANCE): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(FIXTURE) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,test)
$(UNIT_TOKEN): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(FIXTURE) $(LIBTOKEN) $(LIBCOMMON) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,token) $(call pkg,libs,test) -ldl
$(TOOLS): $(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(FIXTURE) $(LIBTOKEN) $(LIBCOMMON) $(LIBCORE)
	$(link) $(call pkg,libs,core) $(call pkg,libs,token) -ldl
$(BENCH): $(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(FIXTURE) $(LIBCORE)
	$(link) $(call pkg,libs,core)

build-tests: $(UNIT) $(UNIT_TOKEN) $(CONFORMANCE) $(TOOLS)

INTEGRATION = $(sort $(wildcard tests/integration/test_*.py))
PYTHON = /usr/bin/python3
export CS_BUILD = $(BUILD)

# One after the other, also with -j: the integration tests have deadlines.
check:
	$(MAKE) check-unit
	$(MAKE) check-teeth
	$(MAKE) check-integration
check-unit: $(UNIT) $(UNIT_TOKEN)
	tests/run.sh unit $(UNIT) $(UNIT_TOKEN)
check-teeth: teeth
	$(PYTHON) tests/teeth/teeth.py $(BUILD)/teeth/tests/unit
check-integration: all $(TOOLS) teeth
	tests/run.sh integration $(foreach test,$(INTEGRATION),"$(PYTHON) $(test)")

# A second build in which CS_RULES_OFF switches single rules off; tests use it to show that each rule is noticed.
teeth: | $(DEPS_FIRST)
	$(MAKE) BUILD=$(BUILD)/teeth TEETH=1 VARIANT=-DCS_TEETH teeth-build
teeth-build: $(BUILD)/bin/countersign-signer $(BUILD)/bin/countersignd $(UNIT) $(BUILD)/tests/token/test_sign

asan:
	$(MAKE) BUILD=build/asan OPTIMISE="-O1 -g" HARDENING= GCC_HARDENING= \
		VARIANT="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" asan-run
# Frame pointers are enough but inside SoftHSM, whose leaks could not be told from ours. Daemon and signer are not dumpable, so no leak checker can look
# into them; their memory is measured by test_memory.py.
asan-run: all build-tests
	FLIP_STEP=61 tests/run.sh asan-unit $(UNIT)
	ASAN_OPTIONS=fast_unwind_on_malloc=0 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
		tests/run.sh asan-token $(UNIT_TOKEN)
	ASAN_OPTIONS=detect_leaks=0 tests/run.sh asan-integration \
		$(foreach test,main_job broken_broker caller_commands daemon_protocol,"$(PYTHON) tests/integration/test_$(test).py")

conformance: $(CONFORMANCE) $(UNIT_TOKEN) $(BUILD)/bin/countersign
	tests/conformance/run.sh $(VECTORS) $(KYE) $(BUILD)

lint: $(BUILD)/lint.stamp
$(BUILD)/lint.stamp: $(shell git ls-files '*.[ch]' 2>/dev/null) $(wildcard systemd/* tests/lint/*)
	$(PYTHON) tests/lint/includes.py
	tests/lint/units.sh
	$(MAKE) BUILD=$(BUILD)/werror WERROR=1 all build-tests
	cppcheck --quiet --enable=warning,portability,performance --inline-suppr --error-exitcode=1 --std=c11 \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Iinclude -Icore -Icommon -I. \
		-j 2 core common pkcs11 appliance provisioning
	@mkdir -p $(@D)
	touch $@

demo: all $(TOOLS)
	$(PYTHON) tests/demo/demo.py $(BUILD)/demo

soak: all $(TOOLS)
	KILL_ROUNDS=2000 $(PYTHON) tests/integration/test_kill.py

bench: $(BENCH)
	for program in $(BENCH); do $$program || exit 1; done

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/share/doc/countersign $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin
	install -m 644 systemd/*.socket $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in systemd/*.service; do \
		sed 's#ExecStart=/usr/bin#ExecStart=$(PREFIX)/bin#' $$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} || exit 1; \
	done
	install -m 644 systemd/countersign.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/countersign.conf
	install -m 644 systemd/countersign.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/countersign.conf
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 README.md docs/*.md $(DESTDIR)$(PREFIX)/share/doc/countersign

clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
