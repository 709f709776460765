/* SPDX-License-Identifier: ISC */
#include "tests/unit/check_server_support.h"

#include "ca/cert.h"
#include "ca/pem.h"

#include <sys/stat.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/*
 * What a server makes of a certificate that is revoked: a stolen phone that still gets in must not be overlooked, and a
 * server that keeps it out must not be blamed. 64-not-revoked.sh shows the same with the real OpenVPN.
 */
static X509 *
certificate(const char *folder, const char *name)
{
	struct buf text = BUF_INIT(1 << 16);
	char *path = text_format("%s/%s", folder, name);
	struct err e = ERR_INIT;
	STACK_OF(X509) * list;
	X509 *cert;

	assert_ok(file_read(path, &text, &e), e);
	list = ca_pem_certs(buf_string(&text), text.len, name, &e);
	assert_ok(list == NULL, e);
	cert = sk_X509_shift(list);
	sk_X509_pop_free(list, X509_free);
	buf_release(&text);
	free(path);
	return cert;
}

/* The server is told of it so often. */
static void
told(const char *folder, const char *lines, size_t times, struct findings *out)
{
	const struct check_clock clock = { .now = time(NULL), .days = 0 };
	X509 *ca = certificate(folder, "one.crt"), *revoked = certificate(folder, "revoked.crt");
	struct findings ignored = FINDINGS_INIT;
	struct buf text = BUF_INIT(1 << 20);
	unsigned char serial[CA_SERIAL_SIZE];
	struct check_server *server = NULL;
	struct err e = ERR_INIT;
	char *path;

	lines_add(usual_server, lines, &text);
	path = support_file(folder, "server.conf", text.data, text.len);
	assert_ok(check_server_open(path, &clock, &ignored, &server, &e), e);
	assert_ok(ca_cert_serial(revoked, serial, &e), e);
	for (size_t i = 0; i < times; i++)
		check_server_revoked(server, "phone", ca, serial, sizeof(serial));
	check_server_revoked_report(server, out);
	assert_ok(findings_check(out, &e), e);
	check_server_close(server);
	findings_release(&ignored);
	assert_int_equal(unlink(path), 0);
	free(path);
	buf_release(&text);
	X509_free(ca);
	X509_free(revoked);
}

static void
causes(void **state)
{
	static const struct {
		const char *lines, *text;
	} rows[] = {
		{ "", "expected crl-verify, found none" },
		{ "crl-verify crl.pem", "their serials in the CRL" },
		{ "crl-verify crl-revoked.pem", NULL },
		{ "crl-verify crl-other.pem", "a CRL of their CA" },
		{ "crl-verify crl-both.pem", "their serials in the CRL" },
		{ "crl-verify serials dir", "a file named by each serial" },
		{ "crl-verify serials-revoked dir", NULL },
		/* everybody is refused, or nobody is served */
		{ "crl-verify crl-past.pem", NULL },
		{ "crl-verify crl-future.pem", NULL },
		{ "crl-verify crl-empty.pem", NULL },
		{ "crl-verify crl-garbage.pem", NULL },
		{ "crl-verify nothing.pem", NULL },
		{ "crl-verify nothing dir", NULL },
		/* of a CA that it does not know */
		{ "-ca\nca other.crt", NULL },
		{ "-ca\nca twin.crt", NULL },
		{ "-ca\nca both.crt", "expected crl-verify, found none" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct findings f = FINDINGS_INIT;

		told(*state, rows[i].lines, 1, &f);
		if (f.count != (rows[i].text == NULL ? 0 : 1) ||
		    (f.count == 1 && (strcmp(f.list[0].rule->id, "server-not-revoked") != 0 ||
					 strstr(f.list[0].text, rows[i].text) == NULL)))
			fail_msg("%s: expected %s, found %s", rows[i].lines,
			    rows[i].text != NULL ? rows[i].text : "none", f.count == 0 ? "none" : f.list[0].text);
		findings_release(&f);
	}
}

/* A client-config file turns down a name, and with it each certificate of that name: a warning, as nobody gets in. */
static void
names(void **state)
{
	static const struct {
		const char *name, *text, *more, *rule;
	} rows[] = {
		{ "phone", "disable\n", "", "server-revoked-by-name" },
		{ "phone", "ifconfig-push 10.8.0.5 255.255.255.0\ndisable\n", "", "server-revoked-by-name" },
		{ "DEFAULT", "disable\n", "", "server-revoked-by-name" },
		{ "other", "", "\nccd-exclusive", "server-revoked-by-name" },
		{ "phone", "disable\n", "\nccd-exclusive", "server-revoked-by-name" },
		{ "phone", "disable\n", "\nx509-username-field CN", "server-revoked-by-name" },
		{ "phone", "disable\n", "\ncrl-verify crl-revoked.pem", NULL },
		{ "phone", "", "", "server-not-revoked" },
		{ "phone", "disable x\n", "", "server-not-revoked" },
		{ "phone", "#disable\n", "", "server-not-revoked" },
		{ "other", "disable\n", "", "server-not-revoked" },
		{ "phone", "", "\nccd-exclusive", "server-not-revoked" },
		{ "phone", "disable\n", "\nusername-as-common-name", "server-not-revoked" },
		{ "phone", "disable\n", "\nx509-username-field OU", "server-not-revoked" },
	};
	char *ccd = text_format("%s/ccd", (const char *)*state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *lines = text_format("client-config-dir ccd%s", rows[i].more);
		char *path = text_format("%s/%s", ccd, rows[i].name);
		struct findings f = FINDINGS_INIT;

		assert_int_equal(mkdir(ccd, 0755), 0);
		free(support_file(ccd, rows[i].name, rows[i].text, strlen(rows[i].text)));
		told(*state, lines, 1, &f);
		if (f.count != (rows[i].rule == NULL ? 0 : 1) ||
		    (f.count == 1 && strcmp(f.list[0].rule->id, rows[i].rule) != 0))
			fail_msg("%s %s%s: expected %s, found %s", rows[i].name, rows[i].text, rows[i].more,
			    rows[i].rule != NULL ? rows[i].rule : "none", f.count == 0 ? "none" : f.list[0].rule->id);
		findings_release(&f);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(rmdir(ccd), 0);
		free(path);
		free(lines);
	}
	free(ccd);
}

static void
many_are_one(void **state)
{
	struct findings f = FINDINGS_INIT;

	told(*state, "crl-verify crl.pem", 10000, &f);
	assert_int_equal(f.count, 1);
	assert_non_null(strstr(f.list[0].text, "10000 revoked certificates, the first of phone, serial "));
	assert_string_equal(f.list[0].element, "crl-verify");
	assert_true(f.list[0].line > 0);
	findings_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(causes),
		cmocka_unit_test(names),
		cmocka_unit_test(many_are_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
