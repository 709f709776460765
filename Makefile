# SPDX-License-Identifier: ISC
#
# make              both programs and the man pages, into $(BUILD)
# make demo         install what is missing, build, run the main job on a throwaway fleet
# make check        install what is missing, build with sanitizers too, run every test
# make lint         static checks of code, scripts and manual
# make fuzz         fuzz the server by whole requests (FUZZ_HTTP_SECONDS), and the parsers (FUZZ_SECONDS each)
# make bench        measure beside other programs
# make install      DESTDIR, PREFIX
# make uninstall, make clean
#
# DEVELOPER=1       warnings are errors
# SAN=asan          AddressSanitizer and UBSan, in a build folder of its own
# CC, CFLAGS, LDFLAGS, V=1 as usual

VERSION = 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
EXAMPLEDIR ?= $(PREFIX)/share/doc/phonevpn/examples
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
FUZZ_SECONDS ?= 60
FUZZ_HTTP_SECONDS ?= 3600

ifeq ($(origin CC),default)
CC = gcc
endif
SAN ?=
BUILD ?= build/$(notdir $(firstword $(CC)))$(if $(SAN),-$(SAN))
PKG_CONFIG ?= pkg-config
INSTALL ?= install

PACKAGES = libcrypto libssl libmicrohttpd gnutls sqlite3 libcurl jansson libxml-2.0 libarchive libsystemd
# What Debian calls them; libcsv has no pkg-config file.
DEBIAN_libcrypto = libssl-dev
DEBIAN_libssl = libssl-dev
DEBIAN_libmicrohttpd = libmicrohttpd-dev
DEBIAN_gnutls = libgnutls28-dev
DEBIAN_sqlite3 = libsqlite3-dev
DEBIAN_libcurl = libcurl4-openssl-dev
DEBIAN_jansson = libjansson-dev
DEBIAN_libxml-2.0 = libxml2-dev
DEBIAN_libarchive = libarchive-dev
DEBIAN_libsystemd = libsystemd-dev
OPTIMIZE = $(if $(SAN),-O1,-O2)
CFLAGS ?= $(OPTIMIZE) -g

# A flag that the compiler takes, or nothing.
probe = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')

SANITIZE_asan = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZE_fuzzer = $(SANITIZE_asan) -fsanitize=fuzzer-no-link
SANITIZE = $(SANITIZE_$(SAN))

# The targets that install packages first look at the machine only in the make that they call afterwards.
ifneq ($(filter-out demo check lint fuzz bench uninstall clean,$(or $(MAKECMDGOALS),all)),)
exists = $(shell { $(PKG_CONFIG) --exists $(1); } 2>/dev/null && echo yes)
csv_h := $(shell { $(CC) $(CPPFLAGS) -include csv.h -x c -E -o /dev/null /dev/null; } 2>/dev/null && echo yes)
ifneq ($(call exists,$(PACKAGES)) $(csv_h),yes yes)
MISSING := $(foreach program,$(firstword $(CC)) $(PKG_CONFIG),$(if $(shell command -v $(program) 2>&1),,$(program))) \
	$(foreach package,$(PACKAGES),$(if $(call exists,$(package)),,$(DEBIAN_$(package)))) \
	$(if $(csv_h),,libc6-dev libcsv-dev)
$(error missing: $(strip $(MISSING)); 'packaging/packages.sh build' installs what building needs)
endif
HARDEN := $(call probe,-fstack-protector-strong) $(call probe,-fstack-clash-protection) \
	$(call probe,-fcf-protection=full) $(call probe,-ftrivial-auto-var-init=zero) \
	$(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum \
	$(call probe,-Wlogical-op) $(call probe,-Wduplicated-cond) $(call probe,-Wnull-dereference)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
# gcc's shared libubsan takes no notice of log_path, by which the end-to-end tests see every report.
SANITIZE_LINK := $(SANITIZE) $(if $(SAN),$(call probe,-static-libubsan))
endif

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. $(PKG_CFLAGS) $(WARN) \
	$(if $(DEVELOPER),-Werror) $(HARDEN) $(SANITIZE) -fPIE $(CFLAGS) $(CPPFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE_LINK) $(LDFLAGS) -pthread

# Every .c of a folder belongs to it.
folder = $(sort $(wildcard $(1)/*.c))
PHONEVPN_SRC = $(foreach f,common dseries ca db bundler pbx provisioner rollout cli,$(call folder,$(f)))
REFPHONE_SRC = $(foreach f,common dseries phone,$(call folder,$(f)))
PHONEVPN_LIBS = -lssl -lcrypto -lcurl -lmicrohttpd -lgnutls -lsqlite3 -ljansson -lxml2 -lcsv -lsystemd -lm
REFPHONE_LIBS = -lssl -lcrypto -lcurl -lmicrohttpd -larchive -ljansson -lxml2 -lcsv

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

MAN1 = phonevpn.1 refphone.1
MAN5 = $(notdir $(wildcard doc/*.5))
EXAMPLES = $(notdir $(wildcard doc/examples/*))
UNITS = phonevpn.service phonevpn.socket phonevpn-watch.service phonevpn-rollout.service phonevpn-rollout.timer phonevpn-crl.service phonevpn-crl.timer
# What an admin copies into another program's folder of the same name.
FAIL2BAN = filter.d/phonevpn.conf jail.d/phonevpn.conf

all: $(BUILD)/phonevpn $(BUILD)/refphone $(MAN1:%=$(BUILD)/doc/%) $(MAN5:%=$(BUILD)/doc/%)

# Everything is made anew when the compiler or its flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/phonevpn: $(call obj,$(PHONEVPN_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS)

$(BUILD)/refphone: $(call obj,$(REFPHONE_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS)

# The option tables make the manual's lists as well as --help.
$(BUILD)/doc/%.1: doc/%.1.in $(BUILD)/%
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/$* help --mdoc >$@.help
	$(Q)sed 's/\([^.][.?!)]\) \+\([A-Z]\)/\1\n\2/g' $@.help >$@.commands # mdoc wants a line for each sentence
	$(Q)sed -e '/^\.\\" COMMANDS$$/r $@.commands' -e '/^\.\\" COMMANDS$$/d' $< >$@

$(BUILD)/doc/%.5: doc/%.5
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

# What tests are linked to: of an archive the linker takes only what a test needs.
SERVER_LIB = $(BUILD)/tests/phonevpn.a
PHONE_LIB = $(BUILD)/tests/refphone.a
$(SERVER_LIB): $(call obj,$(filter-out cli/main.c,$(PHONEVPN_SRC)))
$(PHONE_LIB): $(call obj,$(filter-out phone/main.c,$(REFPHONE_SRC)))
$(SERVER_LIB) $(PHONE_LIB):
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) rcsT $@ $^

# Unit tests: tests/unit/NAME_test.c, linked to a program's objects: phone_NAME to refphone's, all others to phonevpn's.
UNIT = $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*_test.c)))
UNIT_PHONE = $(filter phone_%,$(UNIT))
UNIT_BOTH = check_ovpn_samples_test# holds the one against the other
UNIT_SERVER = $(filter-out phone_% $(UNIT_BOTH),$(UNIT))

$(UNIT_SERVER:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,tests/unit/support.c) $(SERVER_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS) -lcmocka

$(UNIT_PHONE:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,tests/unit/support.c) $(PHONE_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS) -lcmocka

$(UNIT_BOTH:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,tests/unit/support.c) $(SERVER_LIB) $(PHONE_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(sort $(PHONEVPN_LIBS) $(REFPHONE_LIBS)) -lcmocka

# What end-to-end tests and measurements run beside the programs.
TOOLS = bench_check_state bench_keygen bench_siege bench_storm keygen_check prime_check

$(TOOLS:%=$(BUILD)/tests/%): %: %.o $(SERVER_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS)

unit: $(UNIT:%=$(BUILD)/tests/unit/%) $(TOOLS:%=$(BUILD)/tests/%)

# Fuzz targets: with libFuzzer (SAN=fuzzer, clang), and with a main that only tries the corpus.
FUZZ_PHONE = phone_challenge phone_fleet_csv phone_ovpn phone_redact phone_settings
FUZZ_SERVER = $(filter-out $(FUZZ_PHONE),$(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c)))

$(FUZZ_SERVER:%=$(BUILD)/tests/fuzz/%_replay): %_replay: %_fuzz.o $(BUILD)/tests/fuzz/replay.o $(SERVER_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS)

$(FUZZ_PHONE:%=$(BUILD)/tests/fuzz/%_replay): %_replay: %_fuzz.o $(BUILD)/tests/fuzz/replay.o $(PHONE_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS)

$(FUZZ_SERVER:%=$(BUILD)/tests/fuzz/%_fuzz): %: %.o $(SERVER_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PHONEVPN_LIBS)

$(FUZZ_PHONE:%=$(BUILD)/tests/fuzz/%_fuzz): %: %.o $(PHONE_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(REFPHONE_LIBS)

replay: $(patsubst %,$(BUILD)/tests/fuzz/%_replay,$(FUZZ_SERVER) $(FUZZ_PHONE))
fuzzers: $(patsubst %,$(BUILD)/tests/fuzz/%_fuzz,$(FUZZ_SERVER) $(FUZZ_PHONE))

# What a person asks for. Each installs its packages first, and only then lets a second make look at the machine.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

demo:
	@packaging/packages.sh demo
	@$(AGAIN) all
	@tests/demo.sh $(BUILD)

check:
	@packaging/packages.sh check
	@tests/run.sh $(if $(filter command,$(origin BUILD)),$(BUILD),build)

lint:
	@packaging/packages.sh lint
	@$(AGAIN) all
	@tests/lint.sh $(BUILD)

fuzz: FUZZ_BUILD = $(if $(filter command,$(origin BUILD)),$(BUILD),build/clang-fuzzer)
fuzz:
	@packaging/packages.sh fuzz
	@$(AGAIN) CC=clang SAN=fuzzer BUILD=$(FUZZ_BUILD) fuzzers
	@tests/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_SECONDS) $(FUZZ_HTTP_SECONDS)

bench:
	@packaging/packages.sh bench
	@$(AGAIN) all $(TOOLS:%=$(BUILD)/tests/%)
	@tests/bench_keygen.sh $(BUILD)
	@tests/bench_mint.sh $(BUILD)
	@tests/bench.sh $(BUILD)
	@tests/bench_serve.sh $(BUILD)
	@tests/bench_storm.sh $(BUILD)
	@tests/bench_siege.sh $(BUILD)
	@tests/bench_fleet.sh $(BUILD)
	@tests/bench_check.sh $(BUILD)

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(EXAMPLEDIR)
	$(INSTALL) -m 755 $(BUILD)/phonevpn $(BUILD)/refphone $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 644 $(MAN1:%=$(BUILD)/doc/%) $(DESTDIR)$(MANDIR)/man1
	$(if $(MAN5),$(INSTALL) -m 644 $(MAN5:%=$(BUILD)/doc/%) $(DESTDIR)$(MANDIR)/man5)
	$(if $(EXAMPLES),$(INSTALL) -m 644 $(EXAMPLES:%=doc/examples/%) $(DESTDIR)$(EXAMPLEDIR))
	$(INSTALL) -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	for unit in $(UNITS); do \
		sed 's,/usr/local/bin/,$(BINDIR)/,' packaging/systemd/$$unit >$(DESTDIR)$(UNITDIR)/$$unit && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	$(INSTALL) -m 644 packaging/systemd/phonevpn.sysusers $(DESTDIR)$(SYSUSERSDIR)/phonevpn.conf
	for file in $(FAIL2BAN); do \
		$(INSTALL) -D -m 644 packaging/fail2ban/$$file $(DESTDIR)$(EXAMPLEDIR)/fail2ban/$$file || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/phonevpn $(DESTDIR)$(BINDIR)/refphone
	rm -f $(MAN1:%=$(DESTDIR)$(MANDIR)/man1/%) $(MAN5:%=$(DESTDIR)$(MANDIR)/man5/%)
	rm -f $(EXAMPLES:%=$(DESTDIR)$(EXAMPLEDIR)/%)
	rm -f $(UNITS:%=$(DESTDIR)$(UNITDIR)/%) $(DESTDIR)$(SYSUSERSDIR)/phonevpn.conf
	rm -f $(FAIL2BAN:%=$(DESTDIR)$(EXAMPLEDIR)/fail2ban/%)
	for dir in $(patsubst %,fail2ban/%,$(dir $(FAIL2BAN))) fail2ban; do \
		[ ! -d $(DESTDIR)$(EXAMPLEDIR)/$$dir ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$(EXAMPLEDIR)/$$dir; done
	[ ! -d $(DESTDIR)$(EXAMPLEDIR) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(EXAMPLEDIR)
	[ ! -d $(DESTDIR)$(dir $(EXAMPLEDIR)) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(dir $(EXAMPLEDIR))

clean:
	rm -rf build

.PHONY: all unit replay fuzzers demo check lint fuzz bench install uninstall clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
