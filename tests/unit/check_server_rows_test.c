/* SPDX-License-Identifier: ISC */
#include "tests/unit/check_server_support.h"

#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/*
 * What was measured with OpenVPN 2.1.4, 2.2.3, 2.3.2 (TLS 1.0) against 2.6.14, row by row: each row that failed is
 * found, with its reason, and none that worked is. 67-check-server.sh shows the same with the OpenVPN that is installed.
 */
struct row {
	const char *what;
	struct trial trial;
	const char *rule; /* NULL: it worked */
};

static void
rows_run(void **state, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_finds(*state, &rows[i].trial, rows[i].what, FINDING_ERROR, rows[i].rule);
}

#define NO_TLS "-tls-version-min\n-tls-cipher\n-data-ciphers\n"
#define BF_PHONE "-cipher\n"

/* What each line of a server is for: without it. */
static void
lines(void **state)
{
	static const struct row rows[] = {
		{ "recommended", { .server = NULL }, NULL },
		{ "vendor sample",
		    { .server = "-data-ciphers\ndata-ciphers AES-256-GCM:AES-256-CBC:BF-CBC\nproviders legacy default",
			.phone = BF_PHONE "-remote-cert-tls\nns-cert-type server" },
		    NULL },
		{ "no tls-version-min", { .server = "-tls-version-min\n" }, "server-tls-version" },
		{ "tls-cert-profile insecure", { .server = "-tls-cipher\ntls-cert-profile insecure" }, NULL },
		{ "neither level", { .server = "-tls-cipher\n" }, "server-security-level" },
		{ "not in data-ciphers",
		    { .server = "-data-ciphers\ndata-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305" },
		    "server-data-cipher" },
		{ "no provider", { .server = "-data-ciphers\ndata-ciphers AES-256-GCM:BF-CBC", .phone = BF_PHONE },
		    "server-cipher-legacy" },
		{ "fallback BF-CBC without it", { .server = "data-ciphers-fallback BF-CBC" }, "server-cipher-legacy" },
		{ "fallback alone",
		    { .server = "-data-ciphers\ndata-ciphers AES-256-GCM\ndata-ciphers-fallback AES-256-CBC" },
		    "server-data-cipher" },
		{ "providers legacy", { .server = "providers legacy" }, "server-providers" },
		{ "order is free", { .server = "providers default legacy" }, NULL },
		{ "?BF-CBC", { .server = "-data-ciphers\ndata-ciphers AES-256-GCM:?BF-CBC", .phone = BF_PHONE },
		    "server-data-cipher" },
		{ "compat-mode 2.2.0",
		    { .server = NO_TLS "compat-mode 2.2.0\ntls-cert-profile insecure", .phone = BF_PHONE },
		    "server-cipher-legacy" },
		{ "compat-mode 2.2.0 and cipher",
		    { .server = NO_TLS "compat-mode 2.2.0\ntls-cert-profile insecure\ncipher AES-256-CBC" }, NULL },
		{ "compat-mode 2.2.0 and provider",
		    { .server = NO_TLS "compat-mode 2.2.0\ntls-cert-profile insecure\nproviders legacy default",
			.phone = BF_PHONE },
		    NULL },
	};

	rows_run(state, rows, COUNT(rows));
}

#define INSECURE "-tls-cipher\ntls-cert-profile insecure\n"
#define ALL "-tls-cipher\ntls-cipher ALL:@SECLEVEL=0\n"

/* Control-channel suites, one at a time; where "works" was measured with the legacy provider, it is loaded. */
static void
suites(void **state)
{
	static const char *const servers[] = { INSECURE, "", ALL "providers legacy default" };
	/* the first server that each works with; 3 is none */
	static const struct {
		const char *name;
		size_t from;
	} works[] = {
		{ "ECDHE-RSA-AES128-SHA", 0 },
		{ "ECDHE-RSA-AES256-SHA", 0 },
		{ "AES128-SHA", 1 },
		{ "AES256-SHA", 1 },
		{ "CAMELLIA256-SHA", 2 },
		{ "SEED-SHA", 2 },
		{ "RC4-SHA", 3 },
		{ "RC4-MD5", 3 },
		{ "DES-CBC-SHA", 3 },
		{ "DES-CBC3-SHA", 3 },
		{ "ECDHE-RSA-RC4-SHA", 3 },
		{ "ECDHE-RSA-DES-CBC3-SHA", 3 },
	};

	for (size_t s = 0; s < COUNT(servers); s++) {
		for (size_t i = 0; i < COUNT(works); i++) {
			char *phone = text_format("tls-cipher %s", works[i].name);
			const struct trial t = { .server = servers[s], .phone = phone };

			assert_finds(*state, &t, phone, FINDING_ERROR, s >= works[i].from ? NULL : "server-tls-suites");
			free(phone);
		}
	}
}

/* All data ciphers of the page. */
static void
data_ciphers(void **state)
{
	static const char *const current[] = { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "CAMELLIA-128-CBC",
		"CAMELLIA-192-CBC", "CAMELLIA-256-CBC", "DES-EDE-CBC", "DES-EDE3-CBC" };
	static const char *const legacy[] = { "RC2-CBC", "RC2-40-CBC", "RC2-64-CBC", "DES-CBC", "DESX-CBC", "SEED-CBC",
		"BF-CBC", "CAST5-CBC" };

	for (size_t i = 0; i < COUNT(current) + COUNT(legacy); i++) {
		bool old = i >= COUNT(current);
		const char *name = old ? legacy[i - COUNT(current)] : current[i];
		char *server = text_format("-data-ciphers\ndata-ciphers AES-256-GCM:%s", name);
		char *loaded = text_format("%s\nproviders legacy default", server);
		char *phone = text_format("-cipher\ncipher %s", name);

		assert_finds(*state, &(struct trial){ .server = server, .phone = phone }, name, FINDING_ERROR,
		    old ? "server-cipher-legacy" : NULL);
		assert_finds(*state, &(struct trial){ .server = loaded, .phone = phone }, name, FINDING_ERROR, NULL);
		free(server);
		free(loaded);
		free(phone);
	}
}

/* auth, compression, topology, protocol. */
static void
data_channel(void **state)
{
	static const struct row rows[] = {
		{ "SHA256", { .server = "-auth\nauth SHA256", .phone = "-auth\nauth SHA256" }, NULL },
		{ "SHA512", { .server = "-auth\nauth SHA512", .phone = "-auth\nauth SHA512" }, NULL },
		{ "MD5", { .server = "-auth\nauth MD5", .phone = "-auth\nauth MD5" }, NULL },
		{ "SHA1 by default", { .server = "-auth\n", .phone = "-auth\n" }, NULL },
		{ "mismatch", { .server = "-auth\nauth SHA256" }, "server-auth" },
		{ "comp-lzo, none", { .phone = "comp-lzo" }, "server-comp" },
		{ "comp-lzo, comp-lzo", { .server = "comp-lzo", .phone = "comp-lzo" }, NULL },
		{ "the same with allow-compression yes",
		    { .server = "comp-lzo\nallow-compression yes", .phone = "comp-lzo" }, NULL },
		{ "comp-lzo, comp-lzo no", { .server = "comp-lzo no", .phone = "comp-lzo" }, "server-comp" },
		{ "comp-lzo, comp-lzo no and push",
		    { .server = "comp-lzo no\npush \"comp-lzo no\"", .phone = "comp-lzo" }, NULL },
		{ "comp-lzo, migrate", { .server = "compress migrate", .phone = "comp-lzo" }, NULL },
		{ "none, migrate", { .server = "compress migrate" }, NULL },
		{ "none, comp-lzo", { .server = "comp-lzo" }, "server-comp" },
		{ "none, comp-lzo no and push", { .server = "comp-lzo no\npush \"comp-lzo no\"" }, "server-comp" },
		{ "comp-lzo no, none", { .phone = "comp-lzo no" }, "server-comp" },
		{ "net30", { .server = "-topology\ntopology net30" }, NULL },
		{ "TCP", { .server = "-proto\nproto tcp-server", .phone = "-proto\nproto tcp" }, NULL },
		{ "fragment on the client alone", { .phone = "fragment 1200" }, "server-fragment" },
		{ "fragment in its <connection>",
		    { .phone = "-remote\n<connection>\nremote 192.0.2.1 1194\nfragment 1200\n</connection>" },
		    "server-fragment" },
		{ "remotes that have the server's protocol and its port, and none has both",
		    { .phone = "-remote\nremote 192.0.2.1 1194 tcp\nremote 192.0.2.1 443 udp" }, "server-port" },
		{ "a remote that has both", { .phone = "-remote\nremote 192.0.2.1 443 tcp\nremote 192.0.2.1 1194 udp" },
		    NULL },
		{ "no-replay on the client alone", { .phone = "no-replay" }, "server-replay" },
		{ "no-replay on the server alone", { .server = "no-replay" }, "server-replay" },
		{ "no-replay on both sides", { .server = "no-replay", .phone = "no-replay" }, NULL },
		{ "no-iv, which 2.6 has no longer", { .phone = "no-iv" }, "server-replay" },
		{ "the server's tls-auth key is not the client's", { .server = "tls-auth ta.key 0" },
		    "server-tls-auth" },
	};
	struct buf out = BUF_INIT(65536);

	support_shell(&out, NULL, "openvpn --genkey secret '%s/ta.key'", (const char *)*state);
	rows_run(state, rows, COUNT(rows));
	buf_release(&out);
}

#define NS "-remote-cert-tls\nns-cert-type server"
#define NONE "-remote-cert-tls\n"
#define CERT(name) "-cert\ncert " name "-server.crt"

/* Extensions of the server's certificate, for clients of 2.1 to 2.3.18. */
static void
extensions(void **state)
{
	static const char rule[] = "server-cert-purpose";
	static const struct row rows[] = {
		{ "all, ns-cert-type", { .phone = NS }, NULL },
		{ "all, remote-cert-tls", { .server = NULL }, NULL },
		{ "no nsCertType, ns-cert-type", { .server = CERT("no-netscape"), .phone = NS }, rule },
		{ "no nsCertType, remote-cert-tls", { .server = CERT("no-netscape") }, NULL },
		{ "no EKU, ns-cert-type", { .server = CERT("no-purpose"), .phone = NS }, NULL },
		{ "no EKU, remote-cert-tls", { .server = CERT("no-purpose") }, rule },
		{ "none, ns-cert-type", { .server = CERT("bare"), .phone = NS }, rule },
		{ "none, remote-cert-tls", { .server = CERT("bare") }, rule },
		{ "KU digitalSignature, ns-cert-type", { .server = CERT("narrow-usage"), .phone = NS }, NULL },
		{ "KU digitalSignature, remote-cert-tls", { .server = CERT("narrow-usage") }, rule },
		{ "no KU, ns-cert-type", { .server = CERT("no-usage"), .phone = NS }, NULL },
		{ "no KU, remote-cert-tls", { .server = CERT("no-usage") }, rule },
		{ "client's, ns-cert-type", { .server = CERT("client"), .phone = NS }, rule },
		{ "client's, remote-cert-tls", { .server = CERT("client") }, rule },
		{ "client's, no check", { .server = CERT("client"), .phone = NONE }, rule },
		{ "client without extensions", { .cert = "bare" }, NULL },
		{ "the same, remote-cert-tls client", { .server = "remote-cert-tls client", .cert = "bare" },
		    "server-phone-purpose" },
		{ "client, remote-cert-tls client", { .server = "remote-cert-tls client" }, NULL },
		{ "server's certificate as a client's", { .cert = "server-phone" }, "server-phone-refused" },
	};

	rows_run(state, rows, COUNT(rows));
}

/* Algorithms, chains, CAs that change. */
static void
authorities(void **state)
{
	static const struct row rows[] = {
		{ "EC server", { .server = "-cert\n-key\ncert ec-server.crt\nkey ec.key" }, "server-cert-not-rsa" },
		{ "EC client", { .cert = "ec-phone" }, NULL },
		{ "SHA-1 server", { .server = "-cert\ncert sha1-server.crt" }, NULL },
		{ "SHA-1 client at level 0", { .cert = "sha1-phone" }, NULL },
		{ "server sends its intermediate", { .server = "-cert\ncert below-chain.crt" }, NULL },
		{ "server sends its leaf", { .server = "-cert\ncert below.crt" }, "server-cert-chain" },
		{ "the same, intermediate in <ca>", { .server = "-cert\ncert below.crt", .ca = "with-between" }, NULL },
		{ "client below an intermediate", { .cert = "below-phone" }, "server-phone-ca" },
		{ "the same, in the server's ca", { .server = "-ca\nca with-between.crt", .cert = "below-phone" },
		    NULL },
		{ "both, old, both, old", { .server = "-ca\nca both.crt", .ca = "both" }, NULL },
		{ "both, new, both, old",
		    { .server = "-ca\n-cert\nca both.crt\ncert stranger-server.crt", .ca = "both" }, NULL },
		{ "both, old, both, new", { .server = "-ca\nca both.crt", .ca = "both", .cert = "stranger" }, NULL },
		{ "both, new, new, new",
		    { .server = "-ca\n-cert\nca both.crt\ncert stranger-server.crt",
			.ca = "other",
			.cert = "stranger" },
		    NULL },
		{ "both, new, old, old", { .server = "-ca\n-cert\nca both.crt\ncert stranger-server.crt" },
		    "server-cert-chain" },
		{ "old, old, both, new", { .ca = "both", .cert = "stranger" }, "server-phone-ca" },
		{ "two of one name in ca", { .server = "-ca\nca twins.crt" }, "server-ca-same-name" },
		{ "two of one name in <ca>", { .ca = "twins" }, NULL },
	};

	rows_run(state, rows, COUNT(rows));
}

static void
crls(void **state)
{
	static const struct row rows[] = {
		{ "valid", { .server = "crl-verify crl.pem" }, NULL },
		{ "client revoked", { .server = "crl-verify crl-revoked.pem", .cert = "revoked" },
		    "server-phone-revoked" },
		{ "another client", { .server = "crl-verify crl-revoked.pem" }, NULL },
		{ "past nextUpdate", { .server = "crl-verify crl-past.pem" }, "server-crl-expired" },
		{ "of another CA", { .server = "crl-verify crl-other.pem" }, NULL },
		{ "both", { .server = "-ca\nca both.crt\ncrl-verify crl-both.pem" }, NULL },
		{ "old one expired, new client",
		    { .server = "-ca\nca both.crt\ncrl-verify crl-one-past.pem", .cert = "stranger" }, NULL },
		{ "old one expired, old client", { .server = "-ca\nca both.crt\ncrl-verify crl-one-past.pem" },
		    "server-crl-expired" },
		{ "missing", { .server = "crl-verify nothing.pem" }, "server-file-missing" },
		{ "empty", { .server = "crl-verify crl-empty.pem" }, "server-crl-empty" },
		{ "garbage", { .server = "crl-verify crl-garbage.pem" }, "server-crl-empty" },
		{ "folder", { .server = "crl-verify serials-revoked dir", .cert = "revoked" }, "server-phone-revoked" },
		{ "folder, another client", { .server = "crl-verify serials-revoked dir" }, NULL },
	};

	rows_run(state, rows, COUNT(rows));
}

/* The server's matrix, measured with a client of 2.6.14 that was held to TLS 1.0. */
static void
matrix(void **state)
{
	static const struct row rows[] = {
		{ "tls-version-min 1.0 alone", { .server = "-tls-cipher\n" }, "server-security-level" },
		{ "+ insecure", { .server = INSECURE }, NULL },
		{ "+ SECLEVEL", { .server = "" }, NULL },
		{ "compat-mode 2.3.0",
		    { .server = NO_TLS "compat-mode 2.3.0\ntls-cert-profile insecure", .phone = BF_PHONE },
		    "server-cipher-legacy" },
		{ "compat-mode 2.3.0 and provider",
		    { .server = NO_TLS "compat-mode 2.3.0\ntls-cert-profile insecure\nproviders legacy default",
			.phone = BF_PHONE },
		    NULL },
		{ "compat-mode 2.3.0 and cipher",
		    { .server = NO_TLS "compat-mode 2.3.0\ntls-cert-profile insecure\ncipher AES-256-CBC" }, NULL },
		{ "SHA-1 client, insecure", { .server = INSECURE, .cert = "sha1-phone" }, NULL },
		{ "EC server", { .server = INSECURE "-cert\n-key\ncert ec-server.crt\nkey ec.key" },
		    "server-cert-not-rsa" },
		{ "expired CRL", { .server = INSECURE "crl-verify crl-past.pem" }, "server-crl-expired" },
		{ "auth SHA256, SHA1", { .server = INSECURE "-auth\nauth SHA256" }, "server-auth" },
	};
	struct findings f = FINDINGS_INIT;

	rows_run(state, rows, COUNT(rows));
	/* Bare defaults, with both reasons at once, so that the admin does not come back for the second. */
	trial_run(*state, &(struct trial){ .server = NO_TLS, .alone = true }, &f);
	assert_int_equal(f.count, 3);
	assert_string_equal(f.list[0].rule->id, "server-tls-version");
	assert_string_equal(f.list[1].rule->id, "server-security-level");
	assert_string_equal(f.list[2].rule->id, "server-data-cipher");
	findings_release(&f);
	trial_run(*state, &(struct trial){ .server = "-tls-cipher\n", .cert = "sha1-phone" }, &f);
	assert_int_equal(f.count, 2);
	assert_string_equal(f.list[1].rule->id, "server-phone-refused");
	assert_non_null(strstr(f.list[1].text, "CA signature digest algorithm too weak"));
	findings_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(suites),
		cmocka_unit_test(data_ciphers),
		cmocka_unit_test(data_channel),
		cmocka_unit_test(extensions),
		cmocka_unit_test(authorities),
		cmocka_unit_test(crls),
		cmocka_unit_test(matrix),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
