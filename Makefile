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

PACKAGES = libcrypto libmicrohttpd sqlite3 libcurl jansson libxml-2.0
OPTIMIZE = $(if $(SAN),-O1,-O2)
CFLAGS ?= $(OPTIMIZE) -g

# A flag that the compiler takes, or nothing.
probe = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')

ifeq ($(SAN),asan)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
SANITIZE =
endif

ifneq ($(filter-out lint clean demo check uninstall,$(or $(MAKECMDGOALS),all)),)
HARDEN := $(call probe,-fstack-protector-strong) $(call probe,-fstack-clash-protection) \
	$(call probe,-fcf-protection=full) $(call probe,-ftrivial-auto-var-init=zero) \
	$(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum \
	$(call probe,-Wlogical-op) $(call probe,-Wduplicated-cond) $(call probe,-Wnull-dereference)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
endif

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. $(PKG_CFLAGS) $(WARN) \
	$(if $(DEVELOPER),-Werror) $(HARDEN) $(SANITIZE) -fPIE $(CFLAGS) $(CPPFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS) -pthread

COMMON_SRC = common/buf.c common/command.c common/err.c common/file.c common/log.c common/pem.c common/process.c \
	common/progress.c common/table.c common/text.c
DSERIES_SRC = dseries/cipher.c dseries/client.c dseries/firmware.c dseries/mac.c dseries/model.c
CA_SRC = ca/cert.c ca/crl.c ca/extension.c ca/key.c
DB_SRC = db/seal.c db/sqlite.c
BUNDLER_SRC = bundler/bundle.c bundler/profile.c bundler/server_conf.c
PROVISIONER_SRC = provisioner/digest.c provisioner/http.c provisioner/route.c provisioner/url.c provisioner/xml.c
CLI_SRC = cli/base_document.c cli/config.c cli/crl.c cli/emit.c cli/emit_server.c cli/event_report.c \
	cli/events.c cli/export.c \
	cli/fleet_csv.c cli/init.c cli/issuer.c cli/main.c cli/mint.c cli/mint_plan.c cli/mint_worker.c cli/phone_add.c \
	cli/phone_edit.c cli/phone_fields.c cli/phone_import.c cli/phone_list.c cli/phone_remove.c cli/phone_report.c \
	cli/phone_show.c cli/profile.c cli/render.c cli/revocation.c cli/revoke.c cli/serve.c cli/settings.c cli/state.c
PHONE_SRC = phone/main.c

LIB_SRC = $(COMMON_SRC) $(DSERIES_SRC) $(CA_SRC) $(DB_SRC) $(BUNDLER_SRC) $(PROVISIONER_SRC)
PHONEVPN_SRC = $(LIB_SRC) $(CLI_SRC)
REFPHONE_SRC = $(COMMON_SRC) $(DSERIES_SRC) $(PHONE_SRC)
PHONEVPN_LIBS = -lcrypto -lmicrohttpd -lsqlite3 -ljansson -lxml2 -lcsv
REFPHONE_LIBS = -lcrypto -lcurl -ljansson -lxml2

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

all: $(BUILD)/phonevpn $(BUILD)/refphone

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/phonevpn: $(call obj,$(PHONEVPN_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS)

$(BUILD)/refphone: $(call obj,$(REFPHONE_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS)

# Unit tests: tests/unit/NAME_test.c, linked to the library objects and, for the phone's, to those of phone/.
UNIT_COMMON = common_test
UNIT_LIB = $(UNIT_COMMON)
UNIT_PHONE =

$(UNIT_LIB:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,$(LIB_SRC) tests/unit/support.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PHONEVPN_LIBS) -lcmocka

$(UNIT_PHONE:%=$(BUILD)/tests/unit/%): %: %.o $(call obj,$(filter-out phone/main.c,$(REFPHONE_SRC)) tests/unit/support.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(REFPHONE_LIBS) -lcmocka

unit: $(UNIT_LIB:%=$(BUILD)/tests/unit/%) $(UNIT_PHONE:%=$(BUILD)/tests/unit/%)

clean:
	rm -rf build

.PHONY: all unit clean
.DELETE_ON_ERROR:
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
