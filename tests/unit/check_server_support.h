/* SPDX-License-Identifier: ISC */
#ifndef TESTS_CHECK_SERVER_SUPPORT_H
#define TESTS_CHECK_SERVER_SUPPORT_H

#include "tests/unit/support.h"

#include "bundler/check_server.h"
#include "common/file.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A server and a phone that differ from the usual by a few lines, and what "check server" finds. Certificates and CRLs
 * are those of tests/server_pki.sh, which is run once for all tests of a program.
 */

static const char *const usual_server[] = { "port 1194", "proto udp", "dev tun", "topology subnet",
	"server 10.8.0.0 255.255.255.0", "ca one.crt", "cert server.crt", "key key.key", "dh none", "keepalive 5 30",
	"tls-version-min 1.0", "tls-cipher DEFAULT:@SECLEVEL=0", "data-ciphers AES-256-GCM:AES-128-GCM:AES-256-CBC",
	"auth SHA1", NULL };
static const char *const usual_phone[] = { "client", "dev tun", "proto udp", "remote 192.0.2.1 1194", "nobind",
	"remote-cert-tls server", "cipher AES-256-CBC", "auth SHA1", NULL };

/* Lines, '\n' between; one that begins with '-' takes away the usual directives of that name. */
static inline void
lines_add(const char *const *usual, const char *changes, struct buf *out)
{
	char needle[64];

	for (; *usual != NULL; usual++) {
		(void)snprintf(needle, sizeof(needle), "\n-%.*s\n", (int)strcspn(*usual, " "), *usual);
		if (strncmp(changes, needle + 1, strlen(needle + 1)) != 0 && strstr(changes, needle) == NULL)
			buf_addf(out, "%s\n", *usual);
	}
	while (*changes != '\0') {
		size_t len = strcspn(changes, "\n");

		if (*changes != '-' || strncmp(changes, "--", 2) == 0)
			buf_addf(out, "%.*s\n", (int)len, changes);
		changes += len + (changes[len] == '\n' ? 1 : 0);
	}
}

static inline void
pem_add(const char *folder, const char *tag, const char *file, struct buf *out)
{
	struct err e = ERR_INIT;
	char *path = text_format("%s/%s", folder, file);

	buf_addf(out, "<%s>\n", tag);
	assert_ok(file_read(path, out, &e), e);
	buf_addf(out, "</%s>\n", tag);
	free(path);
}

/* What is tried; NULL for the usual. A change of several lines ends with '\n' behind each "-name". */
struct trial {
	const char *server, *phone;	/* changes */
	const char *ca, *cert;		/* files of the phone's bundle: "one", "phone" */
	const char *model;
	time_t now;			/* 0: the real time */
	bool alone;			/* without a phone */
	bool bare;			/* the phone's profile alone, without certificates */
};

static inline void
phone_judge(const char *folder, const struct trial *t, struct check_server *server, struct findings *out)
{
	struct buf text = BUF_INIT(1 << 20);
	struct client_side side = { .cas = NULL };
	struct config config = { 0 };
	struct err e = ERR_INIT;
	char ca[64], cert[64];

	(void)snprintf(ca, sizeof(ca), "%s.crt", t->ca != NULL ? t->ca : "one");
	(void)snprintf(cert, sizeof(cert), "%s.crt", t->cert != NULL ? t->cert : "phone");
	lines_add(usual_phone, t->phone != NULL ? t->phone : "", &text);
	if (!t->bare) {
		pem_add(folder, "ca", ca, &text);
		pem_add(folder, "cert", cert, &text);
	}
	assert_ok(config_read(text.data, text.len, &config, &e), e);
	assert_ok(client_side_read(&config, &side, &e), e);
	check_server_against(server, "the phone", &side, t->model != NULL ? model_find(t->model) : NULL, out);
	if (side.cert != NULL)
		check_server_phone(server, "the phone", side.cert, out);
	client_side_release(&side);
	config_release(&config);
	buf_release(&text);
}

/* Into out, which the caller releases. */
static inline void
trial_run(const char *folder, const struct trial *t, struct findings *out)
{
	const struct check_clock clock = { .now = t->now != 0 ? t->now : time(NULL), .days = CHECK_DAYS_DEFAULT };
	struct buf text = BUF_INIT(1 << 20);
	struct check_server *server = NULL;
	struct err e = ERR_INIT;
	char *path;

	lines_add(usual_server, t->server != NULL ? t->server : "", &text);
	path = support_file(folder, "server.conf", text.data, text.len);
	assert_ok(check_server_open(path, &clock, out, &server, &e), e);
	if (t->alone)
		check_server_alone(server, out);
	else
		phone_judge(folder, t, server, out);
	assert_ok(findings_check(out, &e), e);
	check_server_close(server);
	assert_int_equal(unlink(path), 0);
	free(path);
	buf_release(&text);
}

/* Every finding of at least that severity is rule, and rule (NULL: none) is among them. */
static inline void
assert_finds(const char *folder, const struct trial *t, const char *what, enum finding_severity least, const char *rule)
{
	struct findings f = FINDINGS_INIT;
	bool good = true, seen = rule == NULL;

	trial_run(folder, t, &f);
	for (size_t i = 0; i < f.count; i++) {
		bool it = rule != NULL && strcmp(f.list[i].rule->id, rule) == 0;

		seen = seen || it;
		good = good && (it || f.list[i].rule->severity < least);
	}
	if (!good || !seen) {
		print_error("%s: expected %s, found %zu:\n", what, rule != NULL ? rule : "nothing", f.count);
		for (size_t i = 0; i < f.count; i++)
			print_error("  %s %s: %s\n", finding_severity_name(f.list[i].rule->severity),
			    f.list[i].rule->id, f.list[i].text);
	}
	assert_true(good && seen);
	findings_release(&f);
}

static int
pki_setup(void **state)
{
	char *folder = support_folder();
	struct buf out = BUF_INIT(1 << 20);

	support_shell(&out, NULL, "tests/server_pki.sh '%s' 2>&1", folder);
	buf_release(&out);
	*state = folder;
	return 0;
}

static int
pki_teardown(void **state)
{
	support_remove(*state);
	return 0;
}

#endif
