# SPDX-License-Identifier: ISC
#
# make              both programs and the man pages, into $(BUILD)
# make demo         install what is missing, build, run the main job on a throwaway fleet
# make check        install what is missing, build with sanitizers too, run every test
# make lint         static checks of code, scripts and manual
# make fuzz         fuzz the parsers (FUZZ_SECONDS each)
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
FUZZ_SECONDS ?= 60

ifeq ($(origin CC),default)
CC = gcc
endif
SAN ?=
BUILD ?= build/$(notdir $(firstword $(CC)))$(if $(SAN),-$(SAN))
PKG_CONFIG ?= pkg-config
INSTALL ?= install

PACKAGES = libcrypto libssl libmicrohttpd sqlite3 libcurl jansson libxml-2.0 libarchive
# What Debian calls them; libcsv has no pkg-config file.
DEBIAN_libcrypto = libssl-dev
DEBIAN_libssl = libssl-dev
DEBIAN_libmicrohttpd = libmicrohttpd-dev
DEBIAN_sqlite3 = libsqlite3-dev
DEBIAN_libcurl = libcurl4-openssl-dev
DEBIAN_jansson = libjansson-dev
DEBIAN_libxml-2.0 = libxml2-dev
DEBIAN_libarchive = libarchive-dev
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

COMMON_SRC = common/buf.c common/command.c common/err.c common/file.c common/finding.c common/listen.c common/log.c common/pem.c common/process.c \
	common/progress.c common/rows.c common/table.c common/text.c
DSERIES_SRC = dseries/cipher.c dseries/client.c dseries/firmware.c dseries/mac.c dseries/model.c
CA_SRC = ca/cert.c ca/crl.c ca/extension.c ca/facts.c ca/key.c ca/pem.c ca/time.c ca/verify.c
DB_SRC = db/chain.c db/folder.c db/master_key.c db/seal.c db/sqlite_authority.c db/sqlite_bundle.c \
	db/sqlite_certificate.c db/sqlite_create.c db/sqlite_event.c db/sqlite_generation.c db/sqlite_open.c db/sqlite_phone.c \
	db/sqlite_phone_change.c db/sqlite_query.c db/sqlite_revoke.c db/sqlite_schema.c db/sqlite_setting.c \
	db/sqlite_statement.c db/sqlite_transaction.c
BUNDLER_SRC = bundler/block.c bundler/bundle.c bundler/check_client.c bundler/check_ovpn.c bundler/check_ovpn_cipher.c \
	bundler/check_ovpn_directive.c bundler/check_ovpn_identity.c bundler/check_ovpn_pem.c bundler/check_ovpn_profile.c \
	bundler/check_ovpn_remote.c bundler/check_ovpn_rules.c bundler/check_ovpn_value.c bundler/check_server.c \
	bundler/check_server_access.c bundler/check_server_cert.c bundler/check_server_comp.c bundler/check_server_crl.c \
	bundler/check_server_data.c bundler/check_server_file.c bundler/check_server_network.c \
	bundler/check_server_options.c bundler/check_server_phone.c bundler/check_server_route.c \
	bundler/check_server_rules.c bundler/check_server_tls.c bundler/check_server_wrap.c \
	bundler/config.c bundler/profile.c bundler/server_conf.c
PROVISIONER_SRC = provisioner/check_xml.c provisioner/check_xml_rules.c provisioner/check_xml_url.c \
	provisioner/digest.c provisioner/digest_header.c provisioner/http.c provisioner/http_answer.c \
	provisioner/http_auth.c provisioner/http_log.c provisioner/route.c provisioner/url.c \
	provisioner/xml.c provisioner/xml_document.c provisioner/xml_read.c
CLI_SRC = cli/base_document.c cli/check_clock.c cli/check_fleet.c cli/check_fleet_kinds.c cli/check_fleet_phone.c cli/check_fleet_pool.c \
	cli/check_fleet_rules.c cli/check_fleet_state.c cli/check_fleet_tally.c cli/check_live.c cli/check_live_fetch.c \
	cli/check_live_judge.c cli/check_live_rules.c cli/check_ovpn.c cli/check_report.c cli/check_rules.c cli/check_server.c \
	cli/check_server_fleet.c cli/check_xml.c cli/config.c cli/crl.c cli/emit.c cli/emit_fleet.c cli/emit_server.c \
	cli/event_report.c \
	cli/events.c cli/export.c cli/export_prune.c \
	cli/fleet_csv.c cli/init.c cli/issuer.c cli/main.c cli/mint.c cli/mint_plan.c cli/mint_worker.c cli/phone_add.c \
	cli/phone_edit.c cli/phone_fields.c cli/phone_import.c cli/phone_list.c cli/phone_remove.c cli/phone_report.c \
	cli/phone_show.c cli/profile.c cli/render.c cli/revocation.c cli/revoke.c cli/serve.c cli/settings.c cli/state.c
PHONE_SRC = phone/main.c phone/archive.c phone/boot.c phone/boot_command.c phone/boot_options.c \
	phone/boot_provision.c phone/boot_vpn.c phone/certificate.c phone/certificate_key.c phone/daemon.c \
	phone/fetch.c phone/fleet.c phone/fleet_boot.c phone/fleet_boot_curl.c phone/fleet_command.c phone/fleet_csv.c \
	phone/fleet_fault.c phone/fleet_list.c phone/fleet_login.c phone/fleet_nonce.c phone/fleet_result.c \
	phone/gate.c phone/html.c phone/junit.c phone/limits.c phone/management.c phone/md5.c phone/openvpn.c \
	phone/ovpn.c phone/ovpn_block.c phone/ovpn_directive.c phone/ovpn_entry.c phone/ovpn_line.c phone/ovpn_rules.c \
	phone/phone.c phone/redact.c phone/report.c phone/screen.c phone/screen_command.c phone/settings.c \
	phone/softkey.c phone/status.c phone/store.c phone/store_state.c phone/tunnel.c phone/tunnel_start.c \
	phone/upload.c phone/verdict.c phone/verify.c phone/web.c phone/web_answer.c phone/web_change.c \
	phone/web_check.c phone/web_command.c phone/web_form.c phone/web_guard.c phone/web_page.c phone/web_route.c \
	phone/web_style.c

LIB_SRC = $(COMMON_SRC) $(DSERIES_SRC) $(CA_SRC) $(DB_SRC) $(BUNDLER_SRC) $(PROVISIONER_SRC)
PHONEVPN_SRC = $(LIB_SRC) $(CLI_SRC)
REFPHONE_SRC = $(COMMON_SRC) $(DSERIES_SRC) $(PHONE_SRC)
PHONEVPN_LIBS = -lssl -lcrypto -lcurl -lmicrohttpd -lsqlite3 -ljansson -lxml2 -lcsv
REFPHONE_LIBS = -lssl -lcrypto -lcurl -lmicrohttpd -larchive -ljansson -lxml2 -lcsv

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

MAN1 = phonevpn.1 refphone.1
MAN5 = $(notdir $(wildcard doc/*.5))
EXAMPLES = $(notdir $(wildcard doc/examples/*))

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

# What tests are linked to.
SERVER_OBJ = $(call obj,$(filter-out cli/main.c,$(PHONEVPN_SRC)))
PHONE_OBJ = $(call obj,$(filter-out phone/main.c,$(REFPHONE_SRC)))

# Unit tests: tests/unit/NAME_test.c, linked to the library objects, for those of cli/ and phone/ to these as well.
UNIT_COMMON = common_test file_test listen_test process_test text_test
UNIT_LIB = $(UNIT_COMMON) mac_test firmware_test model_test check_ovpn_test cipher_test client_test config_test profile_test bundle_test server_conf_test \
	check_client_test check_server_test check_server_rows_test \
	db_seal_test db_create_test db_open_test db_phone_test db_certificate_test db_generation_test db_event_test db_crash_test \
	ca_key_test ca_cert_test ca_check_test ca_crl_test ca_der_test ca_name_test ca_owns_test url_test check_xml_test xml_read_test xml_test xml_hostile_test digest_test route_test http_test http_hostile_test http_server_test
UNIT_CLI = fleet_csv_test mint_plan_test settings_test
UNIT_PHONE = phone_archive_test phone_boot_test phone_certificate_test phone_directive_test phone_fetch_test \
	phone_fleet_csv_test phone_fleet_test phone_gate_test phone_limits_test phone_ovpn_test phone_screen_test \
	phone_settings_test phone_status_test phone_store_test phone_url_test phone_web_test

# Compares the two sides, which share nothing: linked to both.
UNIT_BOTH = check_ovpn_samples_test

$(UNIT_LIB:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,$(LIB_SRC) tests/unit/support.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS) -lcmocka

$(UNIT_CLI:%=$(BUILD)/tests/unit/%): %: %.o $(SERVER_OBJ) $(call obj,tests/unit/support.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS) -lcmocka

$(UNIT_PHONE:%=$(BUILD)/tests/unit/%): %: %.o $(PHONE_OBJ) $(call obj,tests/unit/support.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS) -lcmocka

# Fills a state for tests/bench_check.sh.
$(BUILD)/tests/bench_check_state: %: %.o $(SERVER_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS)

$(UNIT_BOTH:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,$(LIB_SRC) $(filter-out $(COMMON_SRC) $(DSERIES_SRC) phone/main.c,$(REFPHONE_SRC)) tests/unit/support.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS) $(PHONEVPN_LIBS) -lcmocka

unit: $(UNIT_BOTH:%=$(BUILD)/tests/unit/%) $(UNIT_LIB:%=$(BUILD)/tests/unit/%) $(UNIT_CLI:%=$(BUILD)/tests/unit/%) $(UNIT_PHONE:%=$(BUILD)/tests/unit/%)

# Fuzz targets: with libFuzzer (SAN=fuzzer, clang), and with a main that only tries the corpus.
FUZZ_PHONE = phone_challenge phone_fleet_csv phone_ovpn phone_redact phone_settings
FUZZ_SERVER = $(filter-out $(FUZZ_PHONE),$(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c)))

$(FUZZ_SERVER:%=$(BUILD)/tests/fuzz/%_replay): %_replay: %_fuzz.o $(BUILD)/tests/fuzz/replay.o $(SERVER_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS)

$(FUZZ_PHONE:%=$(BUILD)/tests/fuzz/%_replay): %_replay: %_fuzz.o $(BUILD)/tests/fuzz/replay.o $(PHONE_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS)

$(FUZZ_SERVER:%=$(BUILD)/tests/fuzz/%_fuzz): %: %.o $(SERVER_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PHONEVPN_LIBS)

$(FUZZ_PHONE:%=$(BUILD)/tests/fuzz/%_fuzz): %: %.o $(PHONE_OBJ)
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
	@tests/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_SECONDS)

bench:
	@packaging/packages.sh bench
	@$(AGAIN) all $(BUILD)/tests/bench_check_state
	@tests/bench.sh $(BUILD)
	@tests/bench_serve.sh $(BUILD)
	@tests/bench_fleet.sh $(BUILD)
	@tests/bench_check.sh $(BUILD)

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(EXAMPLEDIR)
	$(INSTALL) -m 755 $(BUILD)/phonevpn $(BUILD)/refphone $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 644 $(MAN1:%=$(BUILD)/doc/%) $(DESTDIR)$(MANDIR)/man1
	$(if $(MAN5),$(INSTALL) -m 644 $(MAN5:%=$(BUILD)/doc/%) $(DESTDIR)$(MANDIR)/man5)
	$(if $(EXAMPLES),$(INSTALL) -m 644 $(EXAMPLES:%=doc/examples/%) $(DESTDIR)$(EXAMPLEDIR))

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/phonevpn $(DESTDIR)$(BINDIR)/refphone
	rm -f $(MAN1:%=$(DESTDIR)$(MANDIR)/man1/%) $(MAN5:%=$(DESTDIR)$(MANDIR)/man5/%)
	rm -f $(EXAMPLES:%=$(DESTDIR)$(EXAMPLEDIR)/%)
	[ ! -d $(DESTDIR)$(EXAMPLEDIR) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(EXAMPLEDIR)
	[ ! -d $(DESTDIR)$(dir $(EXAMPLEDIR)) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(dir $(EXAMPLEDIR))

clean:
	rm -rf build

.PHONY: all unit replay fuzzers demo check lint fuzz bench install uninstall clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
