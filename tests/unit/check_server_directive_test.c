/* SPDX-License-Identifier: ISC */
#include "tests/unit/check_server_support.h"

#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/*
 * Directives of a server.conf by themselves: what OpenVPN 2.6 knows, takes and overlooks. That it is so is shown by
 * 67-server-directives.sh with OpenVPN itself.
 */
static const struct row {
	const char *server;
	enum finding_severity least;
	const char *rule;
} rows[] = {
	{ "foobar x", FINDING_ERROR, "server-directive-unknown" },
	{ "</ca>", FINDING_ERROR, "server-directive-unknown" },
	{ "cryptoapicert x", FINDING_ERROR, "server-directive-unknown" },
	{ "route-table 5", FINDING_ERROR, "server-directive-later" },
	{ "-keepalive\nkeepalive 5", FINDING_ERROR, "server-directive-arguments" },
	{ "verb", FINDING_ERROR, "server-directive-arguments" },
	{ "mssfix 1 2 3 4", FINDING_ERROR, "server-directive-arguments" },
	{ "persist-tun yes", FINDING_ERROR, "server-directive-arguments" },
	{ "setenv opt iroute 10.9.0.0", FINDING_ERROR, "server-directive-misplaced" },
	{ "<mute>\n5\n</mute>", FINDING_ERROR, "server-directive-misplaced" },
	{ "show-tls", FINDING_ERROR, "server-directive-misplaced" },
	{ "setenv opt status-version 4", FINDING_ERROR, "server-directive-value" },
	{ "-topology\ntopology /24", FINDING_ERROR, "server-directive-value" },
	{ "setenv x y", FINDING_ERROR, "server-directive-value" },
	{ "verify-hash 00:11", FINDING_ERROR, "server-directive-value" },
	{ "<verify-hash>\nfoo\n</verify-hash>", FINDING_ERROR, "server-directive-value" },
	{ "x509-track foo", FINDING_ERROR, "server-directive-value" },
	{ "ifconfig-push-constraint 10.8.0.0 foo", FINDING_ERROR, "server-directive-value" },
	{ "dns server 1 address 192.0.2.1:0", FINDING_ERROR, "server-directive-value" },
	{ "dns server 1 sni dns.example.com", FINDING_ERROR, "server-options" },
	{ "dns server 1 sni dns.example.com\ndns server 1 address [2001:db8::1]:853", FINDING_WARNING, NULL },
	{ "foobar\nignore-unknown-option foobar", FINDING_ERROR, "server-directive-unknown" },
	{ "config nothing.conf", FINDING_ERROR, "server-file-missing" },
	{ "status nothing/status", FINDING_ERROR, "server-file-missing" },
	{ "-tls-cipher\ntls-cert-profile insecure\ntls-client", FINDING_ERROR, "server-options" },
	{ "tun-ipv6", FINDING_WARNING, "server-directive-ignored" },
	{ "setenv opt foobar x", FINDING_WARNING, "server-directive-ignored" },
	{ "ignore-unknown-option foobar --verb\nfoobar\nverb", FINDING_WARNING, "server-directive-ignored" },
	{ "setenv FORWARD_COMPATIBLE 1\nverb 1 2\nkeysize 128", FINDING_WARNING, "server-directive-ignored" },
	{ "-keepalive\nkeepalive a b", FINDING_WARNING, "server-keepalive" },
	{ "-data-ciphers\nsetenv opt data-ciphers AES-256-CBC", FINDING_WARNING, NULL },
	{ "echo a b c d e f g h i j k l m n o p q", FINDING_WARNING, NULL },
	{ "verb many", FINDING_WARNING, NULL },
};

static void
lines(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_finds(*state, &(struct trial){ .server = rows[i].server }, rows[i].server, rows[i].least,
		    rows[i].rule);
}

/* What is wrong in a file that is included is found at its own line; relative names begin where the last cd led. */
static void
included(void **state)
{
	const struct check_clock clock = { .now = time(NULL), .days = CHECK_DAYS_DEFAULT };
	struct buf text = BUF_INIT(1 << 20);
	struct findings f = FINDINGS_INIT;
	struct check_server *server;
	char *elsewhere = support_folder(), *path, *inner;
	struct err e = ERR_INIT;

	buf_addf(&text, "config inner.conf\n");
	lines_add(usual_server, "-auth\n", &text);
	path = support_file(elsewhere, "outer.conf", text.data, text.len);
	buf_clear(&text);
	buf_addf(&text, "\ncd %s\nsetenv opt auth SHA1\nverb\n", (const char *)*state);
	inner = support_file(elsewhere, "inner.conf", text.data, text.len);
	assert_ok(check_server_open(path, &clock, &f, &server, &e), e);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.list[0].rule->id, "server-directive-arguments");
	assert_string_equal(f.list[0].file, inner);
	assert_int_equal(f.list[0].line, 4);
	check_server_close(server);
	findings_release(&f);
	buf_release(&text);
	free(path);
	free(inner);
	support_remove(elsewhere);
}

/* Without end, and branching: OpenVPN gives up ten files deep, and so does the check, which says it once. */
static void
included_by_itself(void **state)
{
	const struct check_clock clock = { .now = time(NULL), .days = CHECK_DAYS_DEFAULT };
	static const char text[] = "config self.conf\nconfig self.conf\nconfig self.conf\nconfig self.conf\n";
	struct findings f = FINDINGS_INIT;
	struct check_server *server;
	char *elsewhere = support_folder(), *path = support_file(elsewhere, "self.conf", text, strlen(text));
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(check_server_open(path, &clock, &f, &server, &e), e);
	assert_string_equal(f.list[0].rule->id, "server-options");
	assert_non_null(strstr(f.list[0].text, "Maximum recursive include levels exceeded"));
	assert_string_not_equal(f.list[1].rule->id, "server-options");
	check_server_close(server);
	findings_release(&f);
	free(path);
	support_remove(elsewhere);
}

/* A key whose opening tag is missing is read as lines of words, none of which may reach a report. */
static void
lost_key(void **state)
{
	const struct check_clock clock = { .now = time(NULL), .days = CHECK_DAYS_DEFAULT };
	struct buf text = BUF_INIT(1 << 20);
	struct findings f = FINDINGS_INIT;
	struct check_server *server;
	struct err e = ERR_INIT;
	size_t told = 0;
	char *path;

	lines_add(usual_server, "", &text);
	buf_addf(&text,
	    "-----BEGIN PRIVATE KEY-----\nMIIsecretAAAA\nsecret/BBBB+ x\nSecret==\n-----END PRIVATE KEY-----\n");
	path = support_file(*state, "server.conf", text.data, text.len);
	assert_ok(check_server_open(path, &clock, &f, &server, &e), e);
	for (size_t i = 0; i < f.count; i++) {
		told += strcmp(f.list[i].rule->id, "server-directive-unknown") == 0;
		assert_null(strcasestr(f.list[i].text, "secret"));
		assert_true(f.list[i].element == NULL || strcasestr(f.list[i].element, "secret") == NULL);
	}
	assert_int_equal(told, 1);
	check_server_close(server);
	findings_release(&f);
	assert_int_equal(unlink(path), 0);
	free(path);
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(included),
		cmocka_unit_test(included_by_itself),
		cmocka_unit_test(lost_key),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
