/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "dseries/client.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void
assert_kind(const char *const *names, size_t count, enum client_directive_kind kind)
{
	for (size_t i = 0; i < count; i++) {
		const struct client_directive *d = client_directive_find(names[i]);

		if (d == NULL || d->kind != kind)
			print_error("%s\n", names[i]);
		assert_non_null(d);
		assert_int_equal(d->kind, kind);
	}
}

/* A bundle that works would be refused. These were run with 2.1.4, 2.2.3 and 2.3.2. */
static void
measured_as_taken(void **state)
{
	static const char *const names[] = { "client", "dev", "proto", "remote", "resolv-retry", "nobind",
		"ns-cert-type", "verb", "cipher", "auth", "remote-cert-tls", "persist-tun", "persist-key",
		"auth-nocache", "mute", "explicit-exit-notify", "remote-random", "float", "keepalive", "ping",
		"ping-restart", "auth-retry", "connect-retry-max", "server-poll-timeout", "reneg-sec",
		"remote-cert-eku", "push-peer-info", "setenv", "tun-mtu", "mssfix", "sndbuf", "dhcp-option",
		"redirect-gateway", "disable-occ", "comp-lzo", "tls-auth", "key-direction", "tls-remote", "ca", "cert",
		"key" };

	(void)state;
	assert_kind(names, COUNT(names), CLIENT_TAKES);
}

/* A bundle that ends the phone's client would be let through. These were run too. */
static void
measured_as_fatal(void **state)
{
	static const char *const names[] = { "data-ciphers", "allow-compression", "providers", "ncp-ciphers",
		"tls-crypt", "compress", "tls-cert-profile", "pull-filter", "ignore-unknown-option", "tls-version-min",
		"ncp-disable", "block-outside-dns" };

	(void)state;
	assert_kind(names, COUNT(names), CLIENT_TOO_NEW);
}

/* The phone cannot ask for a password, nor run a program that it does not have. */
static void
others(void **state)
{
	static const char *const newer[] = { "verify-x509-name" }, *const prompts[] = { "auth-user-pass", "askpass" },
				 *const programs[] = { "up", "down", "route-up", "ipchange", "tls-verify", "plugin",
					 "iproute", "client-connect" };

	(void)state;
	assert_kind(newer, COUNT(newer), CLIENT_TAKES_2_3);
	assert_kind(prompts, COUNT(prompts), CLIENT_NEEDS_PROMPT);
	assert_kind(programs, COUNT(programs), CLIENT_RUNS_PROGRAMS);
	assert_null(client_directive_find("no-such-directive"));
	assert_null(client_directive_find(""));
	assert_null(client_directive_find("Client"));
	assert_null(client_directive_find("server"));
	assert_null(client_directive_find("show-tls"));
}

/* Which blocks every one of the three clients reads (2.1.4's options.c, INLINE_FILE_TAG). */
static void
blocks(void **state)
{
	static const char *const old[] = { "ca", "cert", "key", "dh", "tls-auth", "connection" };

	(void)state;
	for (size_t i = 0; i < COUNT(old); i++)
		assert_true(client_directive_find(old[i])->may_be_inline);
	assert_false(client_directive_find("pkcs12")->may_be_inline);
	assert_false(client_directive_find("crl-verify")->may_be_inline);
	assert_false(client_directive_find("auth-user-pass")->may_be_inline);
	assert_true(client_directive_find("extra-certs")->may_be_inline);
}

/* A second entry of one name would never be found. */
static void
entries_are_sound(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct client_directive *d; (d = client_directive_at(count)) != NULL; count++) {
		assert_ptr_equal(client_directive_find(d->name), d);
		assert_int_equal(strspn(d->name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(d->name));
		assert_true(d->min_arguments <= d->max_arguments);
		assert_int_not_equal(d->kind, CLIENT_UNKNOWN);
		assert_true(!d->may_be_inline || d->min_arguments == 1);
	}
	assert_in_range(count, 150, 300);
	assert_null(client_directive_at((size_t)-1));
}

/*
 * A misspelt name, or too few arguments: OpenVPN 2.6 says so of each line. What it says it of beyond that is what left
 * OpenVPN before it, what came after it, what only Windows or an unusual build has, and two that need an argument since.
 */
static void
openvpn_knows_the_names(void **state)
{
	static const char expected[] = "auth\nblock-outside-dns\ncipher\nifconfig-pool-linear\niproute\nkey-method\n"
				       "keysize\nncp-disable\nno-iv\nroute-table\ntls-remote\nwindows-driver\n";
	struct buf lines = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);
	char *folder = support_folder();

	(void)state;
	for (size_t i = 0; client_directive_at(i) != NULL; i++) {
		const struct client_directive *d = client_directive_at(i);

		buf_addf(&lines, "%s%s\n", d->name, &" 1 1 1 1"[8 - 2 * (size_t)d->min_arguments]);
	}
	support_shell(&out, &lines,
	    "sh -c 'cd %s || exit 1; PATH=$PATH:/usr/sbin; command -v openvpn >openvpn || exit 1; while read -r line; do "
	    "echo \"$line\" >one.conf; timeout 10 openvpn --config one.conf </dev/null >said 2>&1; "
	    "grep -q \"Unrecognized option\" said && echo \"${line%%%% *}\"; done | LC_ALL=C sort'",
	    folder);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&lines);
	buf_release(&out);
	support_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measured_as_taken),
		cmocka_unit_test(measured_as_fatal),
		cmocka_unit_test(others),
		cmocka_unit_test(blocks),
		cmocka_unit_test(entries_are_sound),
		cmocka_unit_test(openvpn_knows_the_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
