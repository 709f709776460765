/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "phone/ovpn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/data/ovpn"

/*
 * A file that keeps the phone off the VPN, what refphone says of it, and, where OpenVPN 2.6 ends at the same thing
 * before it connects, what that one says.
 */
static const struct {
	const char *name, *says, *openvpn;
} bad[] = {
	{ "unknown-directive", "line 11: frobnicate", "Unrecognized option" },
	{ "directive-of-a-later-openvpn", "line 11: tls-version-min", NULL },
	{ "line-of-300-bytes", "line 11: expected at most 255 bytes", "Maximum option line length" },
	{ "no-client", "directive client", "Options error" },
	{ "no-dev", "directive dev", "You must define TUN/TAP device" },
	{ "no-remote", "expected a remote", "Options error" },
	{ "no-ca", "<ca>: expected in the file", "You must define CA file" },
	{ "no-cert", "<cert>: expected in the file", "you must use them both" },
	{ "no-key", "<key>: expected in the file", "you must use them both" },
	{ "ca-names-a-file", "ca: expected a block <ca>", "--ca fails with" },
	{ "file-behind-the-block", "ca: expected a block <ca>", "--ca fails with" },
	{ "closing-tag-indented", "behind other characters", NULL },
	{ "closing-tag-behind-a-blank-and-again-dh", "line 2: <dh>: expected </dh> at the beginning of a line", NULL },
	{ "closing-tag-behind-a-blank-and-again-ca", "behind other characters", NULL },
	{ "closing-tag-behind-a-form-feed", "behind other characters", NULL },
	{ "auth-unknown", "line 9: auth: expected the name of a digest", NULL },
	{ "topology-unknown", "topology: expected net30", NULL },
	{ "port-out-of-range", "port: expected", NULL },
	{ "closing-tag-missing", "</key> at the beginning of a line, found none", "Endtag </key> missing" },
	{ "block-cut-inside-a-certificate", "drops the rest", NULL },
	{ "block-unknown", "<frobnicate>", "Unrecognized option" },
	{ "block-of-a-directive-that-has-none", "<verb>", "not expected to be inline" },
	{ "block-of-a-later-openvpn", "<tls-crypt>", NULL },
	{ "pem-indented", "<ca>: expected PEM, found no BEGIN line in column 0", NULL },
	{ "pem-without-end", "<cert>: expected an END line", NULL },
	{ "pem-of-the-wrong-kind", "<cert>: expected PEM of a certificate", NULL },
	{ "key-with-a-password", "without a password", NULL },
	{ "key-with-a-password-rsa", "without a password", NULL },
	{ "asks-for-a-password", "auth-user-pass: expected no password", NULL },
	{ "runs-a-program", "up: expected nothing that starts programs", NULL },
	{ "loads-code", "plugin: expected nothing that starts programs", NULL },
	{ "quote-not-closed", "line 11: expected a closing quotation mark", "No closing quotation" },
	{ "backslash-before-a-letter", "line 11: expected \\", "Bad backslash" },
	{ "nul-byte", "line 11: expected text, found a NUL byte", NULL },
	{ "proto-unknown", "line 3: proto", "Bad protocol" },
	{ "proto-of-a-server", "line 3: proto", NULL },
	{ "remote-port-out-of-range", "line 4: remote: port", NULL },
	{ "cipher-that-the-phone-lacks", "line 8: cipher", NULL },
	{ "remote-without-a-host", "line 4: remote", "Unrecognized option" },
	{ "connection-without-a-remote", "<connection>: expected a remote", "exactly one 'remote'" },
	{ "connection-with-a-global-directive", "line 13: verb: expected outside", "cannot be used in this context" },
	{ "key-without-its-opening-tag", "line 23: (not shown)", "Unrecognized option" },
	{ "carriage-returns-only", "line 1: expected at most 255 bytes", "Maximum option line length" },
	{ "html-error-page", "line 1: (not shown)", "Unrecognized option" },
	{ "empty", "expected 1 to", "Options error" },
	{ "includes-another-file", "line 11: config", "Error opening configuration file" },
	{ "generic", "line 11: setenv GENERIC_CONFIG", "generic configuration" },
	{ "checks-for-a-client-certificate", "line 7: remote-cert-tls", NULL },
	{ "connect-retry-with-udp", "line 4: connect-retry: expected with proto tcp-client or tcp6-client only", NULL },
	{ "connect-timeout-with-udp-of-a-remote", "line 4: connect-timeout: expected", NULL },
	{ "fragment-with-tcp", "line 4: fragment: expected with proto udp or udp6 only, found with tcp-client",
	    "--fragment can only be used with --proto udp" },
	{ "explicit-exit-notify-with-tcp", "line 4: explicit-exit-notify: expected", NULL },
	{ "mtu-test-with-tcp", "line 4: mtu-test: expected", "--mtu-test only makes sense with --proto udp" },
	{ "replay-window-with-tcp", "line 4: replay-window: expected", NULL },
	{ "replay-window-without-a-number", "line 11: replay-window: expected more arguments", "replay-window option" },
	{ "http-proxy-with-udp", "line 4: http-proxy", "--http-proxy MUST be used in TCP Client mode" },
	{ "http-proxy-with-tcp6", "line 4: http-proxy", NULL },
	{ "http-proxy-option-alone", "line 4: http-proxy: expected with its options", "--http-proxy not specified" },
	{ "http-proxy-and-socks-proxy", "not both of http-proxy and socks-proxy", "can not be used together" },
	{ "http-proxy-without-a-port", "line 11: http-proxy: expected more arguments", "port number not defined" },
	{ "bind-and-nobind", "line 4: expected not both of bind and nobind", "--bind and --nobind can't be used" },
	{ "local-and-nobind", "line 4: expected not both of local and nobind", "--local and --nobind" },
	{ "lport-and-nobind", "line 4: expected not both of lport and nobind", "--lport and --nobind" },
	{ "tun-mtu-and-link-mtu", "one of tun-mtu and link-mtu", "only one of --tun-mtu or --link-mtu" },
	{ "no-replay-and-replay-window", "not both of no-replay and replay-window", "--replay-window doesn't make" },
	{ "tcp-without-client", "line 5: proto: expected tcp-client", "--proto tcp is ambiguous" },
	{ "connection-with-fragment-and-tcp", "line 15: fragment: expected", "--fragment can only be used" },
	{ "connection-with-tcp-in-its-remote", "line 12: explicit-exit-notify: expected", NULL },
	{ "more-than-64-remotes", "line 74: remote: expected at most 64", NULL },
	{ "tls-remote-and-verify-x509-name", "line 12: verify-x509-name: expected", NULL },
	{ "compat-names-of-a-server", "line 11: compat-names", "--compat-names was removed" },
	{ "tls-cipher-with-a-security-level", "line 11: tls-cipher: expected no command but @STRENGTH", NULL },
	{ "setenv-of-one-letter", "line 11: setenv: expected a name of two", "Assertion failed" },
	{ "proto-force-of-the-other-kind", "proto-force: expected a remote with TCP", "No usable connection profiles" },
	{ "comp-lzo-unknown", "line 11: comp-lzo: expected yes, no or adaptive", "bad comp-lzo option" },
};

/* A file that the phone takes, and what is worth a word (NULL: nothing). */
static const struct {
	const char *name, *note;
	unsigned int remotes;
} taken[] = {
	{ "plain", NULL, 1 },
	{ "vendor-sample", "BF-CBC", 1 },
	{ "crlf", NULL, 1 },
	{ "byte-order-mark", "byte order mark", 1 },
	{ "comments-and-blank-lines", NULL, 1 },
	{ "tls-auth", NULL, 1 },
	{ "two-connections", NULL, 2 },
	{ "setenv-opt", "setenv opt data-ciphers: ignored", 1 },
	{ "forward-compatible", "providers: unknown, and ignored", 1 },
	{ "no-line-feed-at-the-end", NULL, 1 },
	{ "two-ca-blocks", "replaces the first", 1 },
	{ "quotes-and-backslashes", NULL, 1 },
	{ "acts-on-the-phone", "user: acts on the phone itself", 1 },
	{ "base64-on-one-line", "longer than 76", 1 },
	{ "line-of-255-bytes", NULL, 1 },
	{ "preamble-in-the-block", NULL, 1 },
	{ "double-dash", NULL, 1 },
	{ "tcp-with-connect-retry", NULL, 1 },
	{ "udp-with-fragment", NULL, 1 },
	{ "tcp-with-what-udp-has-switched-off", NULL, 1 },
	{ "fragment-behind-a-tcp-connection", NULL, 2 },
	{ "tls-remote", "run as verify-x509-name with name-prefix", 1 },
	{ "tls-remote-of-a-subject", "the check of the server's name is not made here", 1 },
	{ "left-openvpn-since", "line 12: no-iv: taken by the phone's OpenVPN; OpenVPN 2.6 has no such", 1 },
	{ "words-too-many", "line 6: nobind: more arguments than it has", 1 },
	{ "ec-key-with-parameters", NULL, 1 },
	{ "sixty-four-remotes", NULL, 64 },
	{ "tls-cipher", NULL, 1 },
};

static void
load(const char *folder, const char *name, struct buf *out)
{
	struct err e = ERR_INIT;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s.ovpn", folder, name);
	assert_ok(file_read(path, out, &e), e);
}

static const struct model *
d65(void)
{
	return model_find("D65");
}

/* A bundle that locks a phone out must not pass as good, and the admin must learn which line it is. */
static void
test_bad(void **state)
{
	struct err e = ERR_INIT;
	struct ovpn o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf file = BUF_INIT(OVPN_MAX);

		load(DATA, bad[i].name, &file);
		if (ovpn_read(file.data, file.len, d65(), &o, &e) == 0)
			fail_msg("%s: taken", bad[i].name);
		if (e.code != ERR_INTEGRITY || strstr(e.text, bad[i].says) == NULL)
			fail_msg("%s: expected \"%s\", found %s", bad[i].name, bad[i].says, e.text);
		/* What the made-up keys consist of; a real one must not get into a message either. */
		assert_null(strstr(e.text, "TUlJ"));
		buf_release(&file);
	}
}

/* Where the installed OpenVPN can be asked, it agrees that the file is bad. */
static void
test_bad_for_openvpn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = BUF_INIT(1 << 16);

		if (bad[i].openvpn == NULL)
			continue;
		support_shell(&out, NULL,
		    "{ PATH=$PATH:/usr/sbin; timeout -k 1 10 openvpn --config " DATA "/%s.ovpn 2>&1 | tr -d '\\000'; }",
		    bad[i].name);
		if (strstr(buf_string(&out), bad[i].openvpn) == NULL)
			fail_msg("%s: openvpn says %s", bad[i].name, buf_string(&out));
		buf_release(&out);
	}
}

/* A bundle that works on the phone must not be reported as bad. */
static void
test_taken(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct buf file = BUF_INIT(OVPN_MAX);
		struct ovpn o;
		bool noted = false;

		load(DATA "/taken", taken[i].name, &file);
		if (ovpn_read(file.data, file.len, d65(), &o, &e) != 0)
			fail_msg("%s: %s", taken[i].name, e.text);
		for (size_t n = 0; n < o.note_count; n++)
			noted = noted || (taken[i].note != NULL && strstr(o.notes[n], taken[i].note) != NULL);
		if (noted != (taken[i].note != NULL) || (taken[i].note == NULL && o.note_count > 0))
			fail_msg("%s: expected the note \"%s\", found %zu: %s", taken[i].name,
			    taken[i].note != NULL ? taken[i].note : "none", o.note_count, o.notes[0]);
		assert_int_equal(o.remotes, taken[i].remotes);
		ovpn_release(&o);
		buf_release(&file);
	}
}

static void
assert_effective(const char *name, const char *has, const char *lacks)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn o;

	load(DATA "/taken", name, &file);
	assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
	assert_non_null(strstr(buf_string(&o.effective), has));
	if (lacks != NULL)
		assert_null(strstr(buf_string(&o.effective), lacks));
	ovpn_release(&o);
	buf_release(&file);
}

/* A hostile bundle must not make the real openvpn, which knows more than 2.3.2, load code or write files as root. */
static void
test_effective(void **state)
{
	(void)state;
	assert_effective("setenv-opt", "client\n", "setenv opt");
	assert_effective("forward-compatible", "client\n", "providers");
	assert_effective("acts-on-the-phone", "persist-tun\n", "log /tmp/x");
	assert_effective("acts-on-the-phone", "persist-tun\n", "nobody");
	assert_effective("acts-on-the-phone", "persist-tun\n", "management");
	assert_effective("acts-on-the-phone", "persist-tun\n", "daemon");
	assert_effective("two-connections",
	    "<connection>\nremote b.example.com 443\nproto tcp4-client\n</connection>\n", NULL);
	assert_effective("plain", "<ca>\n-----BEGIN CERTIFICATE-----\n", NULL);
	assert_effective("two-connections", "<connection>\nremote a.example.com 1194 udp4\n", NULL);
	assert_effective("sixty-four-remotes", "remote 192.0.2.1\nremote 192.0.2.2\n", NULL);
}

/* What the phone takes and OpenVPN 2.6 does not must not keep refphone off the VPN, nor be passed off as proved. */
static void
test_effective_for_2_6(void **state)
{
	static const char *const gone[] = { "keysize", "no-iv", "key-method", "ifconfig-pool-linear", "compat-names" };

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		assert_effective("left-openvpn-since", "client\n", gone[i]);
	assert_effective("left-openvpn-since", "auth SHA1\n", "auth\n");
	assert_effective("left-openvpn-since", "cipher AES-256-CBC\n", "cipher\n");
	assert_effective("tls-remote", "verify-x509-name vpn.example.com name-prefix\n", "tls-remote");
	assert_effective("tls-remote-of-a-subject", "client\n", "vpn.example.com\"");
	assert_effective("words-too-many", "nobind\nremote-cert-tls", "else");
	assert_effective("words-too-many", "persist-tun\nverb 3\n<ca>", "please");
}

/* What the rest of refphone works with. */
static void
test_facts(void **state)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn o;

	(void)state;
	load(DATA "/taken", "vendor-sample", &file);
	assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
	assert_string_equal(o.cipher, "BF-CBC");
	assert_string_equal(o.tls_cipher, "");
	assert_false(o.remote_cert_tls);
	ovpn_release(&o);
	buf_clear(&file);
	buf_add_string(&file, "comp-lzo no\n");
	load(DATA "/taken", "tls-cipher", &file);
	assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
	assert_string_equal(o.cipher, "AES-256-CBC");
	assert_string_equal(o.tls_cipher, "TLS-RSA-WITH-AES-256-CBC-SHA:AES128-SHA");
	assert_true(o.remote_cert_tls);
	assert_memory_equal(o.ca.data, "-----BEGIN CERTIFICATE-----\n", 28);
	assert_string_equal(buf_string(&o.key) + o.key.len - 26, "-----END PRIVATE KEY-----\n");
	ovpn_release(&o);
	buf_release(&file);
}

/* "The LAST one replaces the first on every version." */
static void
test_last_block(void **state)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	const char *last;
	struct ovpn o;

	(void)state;
	load(DATA "/taken", "two-ca-blocks", &file);
	last = strstr(strstr(buf_string(&file), "<ca>") + 4, "<ca>\n") + 5;
	assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
	assert_int_equal(o.ca.len, strstr(last, "</ca>") - last);
	assert_memory_equal(o.ca.data, last, o.ca.len);
	ovpn_release(&o);
	buf_release(&file);
}

/* Of a plain bundle, the effective lines are the file, byte for byte, but that 2.3.2's "udp" is 2.6's "udp4". */
static void
test_effective_is_all(void **state)
{
	struct buf file = BUF_INIT(OVPN_MAX), expected = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn o;

	(void)state;
	support_shell(&expected, NULL,
	    "{ echo proto udp4; sed 's/^proto udp$/proto udp4/' " DATA "/taken/plain.ovpn; }");
	load(DATA "/taken", "plain", &file);
	assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
	assert_string_equal(buf_string(&o.effective), buf_string(&expected));
	buf_release(&expected);
	ovpn_release(&o);
	buf_release(&file);
}

/* 10,000 bytes of a block reach the phone's OpenVPN, one more does not. */
static void
test_block_limit(void **state)
{
	struct buf head = BUF_INIT(OVPN_MAX), file = BUF_INIT(OVPN_MAX);
	static const char end[] = "-----END CERTIFICATE-----\n";
	const char *ca;
	struct err e = ERR_INIT;
	struct ovpn o;
	size_t content;

	(void)state;
	load(DATA "/taken", "plain", &head);
	ca = strstr(buf_string(&head), "</ca>");
	assert_non_null(ca);
	content = (size_t)(ca - strstr(buf_string(&head), "-----BEGIN"));
	for (size_t total = 10000; total <= 10001; total++) {
		buf_clear(&file);
		buf_add(&file, head.data, (size_t)(ca - buf_string(&head)));
		for (size_t n = content; n < total; n++)
			buf_add_string(&file, n + 1 == total || n % 64 == 63 ? "\n" : "c");
		buf_add_string(&file, ca);
		assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
		assert_int_equal(o.note_count, total == 10000 ? 0 : 1);
		if (total == 10001)
			assert_non_null(strstr(o.notes[0], "10001 bytes, of which OpenVPN 2.3.2 keeps 9999"));
		assert_int_equal(o.ca.len, total == 10000 ? 10000 : 9999);
		ovpn_release(&o);
	}
	assert_int_equal(strlen(end), 26);
	buf_release(&head);
	buf_release(&file);
}

/* "Model D80 phones may support a different set": not refused, and not called good. */
static void
test_cipher_of_a_d80(void **state)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn o;

	(void)state;
	load(DATA, "cipher-that-the-phone-lacks", &file);
	assert_ok(ovpn_read(file.data, file.len, model_find("D80"), &o, &e), e);
	assert_true(o.note_count == 1 && strstr(o.notes[0], "D80") != NULL);
	ovpn_release(&o);
	buf_release(&file);
}

/* More remarks than there is room for are counted, and nothing is overrun. */
static void
test_many_notes(void **state)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn o;

	(void)state;
	for (int i = 0; i < 50; i++)
		buf_add_string(&file, "user nobody\n");
	load(DATA "/taken", "plain", &file);
	assert_ok(ovpn_read(file.data, file.len, d65(), &o, &e), e);
	assert_int_equal(o.note_count, 50);
	assert_non_null(strstr(o.notes[OVPN_NOTES_MAX - 1], "line 16: user"));
	ovpn_release(&o);
	buf_release(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_for_openvpn),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_effective),
		cmocka_unit_test(test_effective_for_2_6),
		cmocka_unit_test(test_effective_is_all),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_last_block),
		cmocka_unit_test(test_block_limit),
		cmocka_unit_test(test_cipher_of_a_d80),
		cmocka_unit_test(test_many_notes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
