/* SPDX-License-Identifier: ISC */
#include "tests/unit/check_server_support.h"

#include <ctype.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/*
 * The rules of "check server" that no measured row stands for. That each of them really keeps a phone off is shown by
 * 67-check-server.sh with OpenVPN itself.
 */
struct wrong {
	const char *server, *phone, *rule;
};

static void
wrong_run(void **state, const struct wrong *list, size_t count, enum finding_severity least)
{
	for (size_t i = 0; i < count; i++)
		assert_finds(*state, &(struct trial){ .server = list[i].server, .phone = list[i].phone },
		    list[i].server, least, list[i].rule);
}

/* Nobody can search for a rule without its reason, or follow a fix that is none. */
static void
rules_are_complete(void **state)
{
	(void)state;
	for (const struct finding_rule *r = check_server_rules; r->id != NULL; r++) {
		assert_int_equal(strncmp(r->id, "server-", strlen("server-")), 0);
		for (const char *c = r->id; *c != '\0'; c++)
			assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
		assert_true(r->title != NULL && r->title[strlen(r->title) - 1] != '.');
		assert_true(r->why != NULL && strlen(r->why) > 20 && r->fix != NULL && strlen(r->fix) > 5);
		for (const struct finding_rule *other = r + 1; other->id != NULL; other++)
			assert_string_not_equal(r->id, other->id);
	}
}

static void
does_not_start(void **state)
{
	static const struct wrong list[] = {
		{ "status \"open", NULL, "server-line" },
		{ "keysize 128", NULL, "server-directive-removed" },
		{ "no-iv", NULL, "server-directive-removed" },
		{ "-dh\n", NULL, "server-directive-missing" },
		{ "-dev\n", NULL, "server-directive-missing" },
		{ "-server\n", NULL, "server-directive-missing" },
		{ "nobind", NULL, "server-options" },
		{ "-keepalive\nkeepalive 20 30", NULL, "server-options" },
		{ "ccd-exclusive", NULL, "server-options" },
		{ "tls-cert-profile best", NULL, "server-options" },
		{ "-tls-cipher\ntls-cert-profile insecure\ntls-cipher FOO", NULL, "server-options" },
		{ "tls-version-max 0.9", NULL, "server-options" },
		{ "-ca\nca nothing.crt", NULL, "server-file-missing" },
		{ "-ca\nca crl-garbage.pem", NULL, "server-file-broken" },
		{ "-cert\ncert crl-garbage.pem", NULL, "server-file-broken" },
		{ "-key\nkey crl-garbage.pem", NULL, "server-file-broken" },
		{ "-cert\ncert /dev/null", NULL, "server-file-broken" },
		{ "-ca\nca serials", NULL, "server-file-broken" },
		{ "client-config-dir one.crt", NULL, "server-file-broken" },
		{ "crl-verify one.crt dir", NULL, "server-file-broken" },
		{ "-key\nkey one.key", NULL, "server-key-mismatch" },
		{ "-data-ciphers\ndata-ciphers AES-256-CBC:FOO", NULL, "server-cipher-unsupported" },
		{ "-data-ciphers\ndata-ciphers AES-256-CBC:AES-256-XTS", NULL, "server-cipher-unsupported" },
		{ "-auth\nauth FOO", "-auth\nauth FOO", "server-auth-unsupported" },
		{ "allow-compression no\ncomp-lzo", "comp-lzo", "server-comp-refused" },
		{ "-server\nserver 10.8.0.5 255.255.255.0", NULL, "server-network" },
		{ "-server\nserver 10.0.0.0 255.0.0.0", NULL, "server-network" },
		{ "-server\nserver 10.8.0.0 24", NULL, "server-network" },
		{ "user no-such-user\npersist-key\npersist-tun", NULL, "server-user-unknown" },
	};

	wrong_run(state, list, COUNT(list), FINDING_ERROR);
}

static void
does_not_connect(void **state)
{
	static const struct wrong list[] = {
		{ "-proto\nproto tcp-server", NULL, "server-proto" },
		{ "-port\nport 443", NULL, "server-port" },
		{ "-proto\nproto udp6\nbind ipv6only", NULL, "server-family" },
		{ "", "-proto\nproto udp6", "server-family" },
		{ "tls-crypt key.key", NULL, "server-tls-crypt" },
		{ "tls-crypt-v2 key.key", NULL, "server-tls-crypt" },
		{ "-tls-cipher\ntls-cert-profile insecure\ntls-groups X448", NULL, "server-tls-suites" },
		{ "-tls-cipher\ntls-cipher ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0", NULL, "server-tls-suites" },
		{ "-tls-cipher\ntls-cipher TLS-DHE-RSA-WITH-AES-256-CBC-SHA:@SECLEVEL=0", NULL, "server-tls-suites" },
		{ "-cert\ncert past-server.crt", NULL, "server-cert-expired" },
		{ "-cert\ncert future-server.crt", NULL, "server-cert-not-yet" },
		{ "", "verify-x509-name vpn name", "server-cert-name" },
		{ "", "verify-x509-name CN=vpn", "server-cert-name" },
		{ "", "tls-remote vpn", "server-cert-name" },
		{ "crl-verify crl-future.pem", NULL, "server-crl-not-yet" },
		{ "crl-verify /dev/null", NULL, "server-crl-empty" },
		{ "crl-verify serials", NULL, "server-crl-empty" },
		{ "client-connect /bin/true", NULL, "server-script-security" },
		{ "script-security 2\nauth-user-pass-verify /bin/true via-file", NULL, "server-password" },
		{ "plugin /usr/lib/openvpn/openvpn-plugin-auth-pam.so login", NULL, "server-password" },
		{ "verify-x509-name other name", NULL, "server-phone-name" },
		{ "client-config-dir serials\nccd-exclusive", NULL, "server-ccd-exclusive" },
		{ "-dev\ndev tap0", NULL, "server-dev" },
	};

	wrong_run(state, list, COUNT(list), FINDING_ERROR);
}

/* It works, and is no reason to stop a CI job. */
static void
warns(void **state)
{
	static const struct wrong list[] = {
		{ "-cert\ncert soon-server.crt", NULL, "server-cert-expiring" },
		{ "-cert\ncert sha1-server.crt", NULL, "server-cert-weak" },
		{ "-key\nkey locked.key\n", NULL, "server-key-encrypted" },
		{ "crl-verify crl-soon.pem", NULL, "server-crl-expiring" },
		{ "crl-verify crl-other.pem", NULL, "server-crl-other" },
		{ "-keepalive\n", NULL, "server-keepalive" },
		{ "opt-verify", NULL, "server-opt-verify" },
		{ "tun-mtu 1400", NULL, "server-mtu" },
		{ "local 127.0.0.1", NULL, "server-loopback" },
		{ "push \"route 192.0.0.0 255.255.0.0\"", NULL, "server-route-remote" },
		{ "user nobody", NULL, "server-user-restart" },
		{ "script-security 2\nauth-user-pass-verify /bin/true via-file\nauth-user-pass-optional\n"
		  "verify-client-cert optional",
		    NULL, "server-client-cert" },
	};

	wrong_run(state, list, COUNT(list), FINDING_WARNING);
}

static void
notes(void **state)
{
	static const struct wrong list[] = {
		{ "-topology\n", NULL, "server-topology" },
		{ "reneg-sec 0", NULL, "server-reneg" },
		{ "duplicate-cn", NULL, "server-duplicate-cn" },
		{ "persist-key", NULL, "server-persist-key" },
		{ "script-security 2\nclient-connect /bin/true", NULL, "server-client-connect" },
		{ "push \"route 10.8.0.0 255.255.0.0\"", NULL, "server-route-overlap" },
	};

	wrong_run(state, list, COUNT(list), FINDING_NOTE);
	assert_finds(*state, &(struct trial){ .model = "D80" }, "D80", FINDING_NOTE, "server-model");
	assert_finds(*state, &(struct trial){ .model = "D65" }, "D65", FINDING_NOTE, NULL);
}

/* What differs in spelling only, or what the phone's side makes good, is no finding at all. */
static void
no_false_alarm(void **state)
{
	static const struct wrong list[] = {
		{ "", NULL, NULL },
		{ "-auth\nauth sha1", "-auth\nauth RSA-SHA1", NULL },
		{ "-data-ciphers\ndata-ciphers aes-256-cbc", NULL, NULL },
		{ "-proto\nproto udp6", NULL, NULL },
		{ "-proto\nproto udp6", "-proto\nproto udp6", NULL },
		{ "-proto\nproto udp4", NULL, NULL },
		{ "-port\nlport 443", "-remote\nremote 192.0.2.1 1194\nremote 192.0.2.1 443", NULL },
		{ "local 192.0.2.1", NULL, NULL },
		{ "-keepalive\nping 5\nping-restart 60", NULL, NULL },
		{ "explicit-exit-notify 1", NULL, NULL },
		{ "--mssfix 1400", NULL, NULL },
		{ "push \"route 192.0.0.0 255.255.0.0\"\npush \"redirect-gateway def1\"", NULL, NULL },
		{ "push \"route 172.16.0.0 255.255.0.0\"\npush \"dhcp-option DNS 172.16.0.1\"", NULL, NULL },
		{ "", "verify-x509-name server name", NULL },
		{ "", "verify-x509-name CN=server", NULL },
		{ "", "verify-x509-name serv name-prefix", NULL },
		{ "", "tls-remote server", NULL },
		{ "verify-x509-name pho name-prefix", NULL, NULL },
		{ "plugin /usr/lib/openvpn/openvpn-plugin-down-root.so /bin/true", NULL, NULL },
		{ "-key\nkey locked.key\naskpass key.key", NULL, NULL },
		{ "-tls-cipher\ntls-cert-profile insecure\ntls-cipher TLS-RSA-WITH-AES-256-CBC-SHA", NULL, NULL },
		{ "-tls-cipher\ntls-cipher DEFAULT:@SECLEVEL=0\ntls-groups secp384r1", NULL, NULL },
	};

	wrong_run(state, list, COUNT(list), FINDING_NOTE);
	assert_finds(*state, &(struct trial){ .bare = true }, "a profile", FINDING_NOTE, NULL);
	assert_finds(*state, &(struct trial){ .alone = true }, "no phone", FINDING_NOTE, NULL);
	assert_finds(*state, &(struct trial){ .server = "compress lz4", .alone = true }, "no phone", FINDING_NOTE,
	    "server-comp");
}

/* Dates are those of --at. */
static void
dates(void **state)
{
	const time_t day = 86400, now = time(NULL);

	assert_finds(*state, &(struct trial){ .now = now + 2 * day, .server = "crl-verify crl-future.pem" },
	    "in two days", FINDING_NOTE, NULL);
	assert_finds(*state, &(struct trial){ .now = now + 40 * day, .bare = true }, "in forty days", FINDING_WARNING,
	    "server-cert-expiring");
	assert_finds(*state, &(struct trial){ .now = now + 70 * day, .bare = true }, "in seventy days", FINDING_WARNING,
	    "server-cert-expired");
}

static void
write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char *path = support_file(folder, name, text, strlen(text));

	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

/* Client-config files: the address, "disable", DEFAULT. */
static void
client_config(void **state)
{
	static const struct {
		const char *name, *text, *more, *rule;
	} files[] = {
		{ "phone", "ifconfig-push 10.8.0.77 255.255.255.0\n", "", NULL },
		{ "phone", "ifconfig-push 10.9.0.77 255.255.255.0\n", "", "server-ccd-address" },
		{ "phone", "ifconfig-push 10.8.0.1 255.255.255.0\n", "", "server-ccd-address" },
		{ "phone", "ifconfig-push 10.8.0.77 10.8.0.78\n", "", "server-ccd-address" },
		{ "phone", "ifconfig-push nowhere\n", "", "server-ccd-overlooked" },
		{ "phone", "ifconfig-push 10.8.0.77 255.255.0.0\n", "", NULL },
		{ "phone", "ifconfig-push 10.8.0.77 255.255.255.252\n", "", "server-ccd-address" },
		{ "phone", "push-reset\n", "", "server-topology-push" },
		{ "phone", "push-remove topo\n", "", "server-topology-push" },
		{ "phone", "push-remove route-gateway\n", "", NULL },
		{ "phone", "push-reset\npush \"topology subnet\"\n", "", NULL },
		{ "phone", "", "\n-server\nserver 10.8.0.0 255.255.255.0 nopool", "server-no-address" },
		{ "phone", "disable\n", "", "server-ccd-disabled" },
		{ "DEFAULT", "disable\n", "", "server-ccd-disabled" },
		{ "other", "disable\n", "", NULL },
		{ "phone", "", "\nccd-exclusive", NULL },
		{ "DEFAULT", "", "\nccd-exclusive", "server-ccd-exclusive" },
	};
	char *ccd = text_format("%s/ccd", (const char *)*state), *path;

	for (size_t i = 0; i < COUNT(files); i++) {
		char *server = text_format("client-config-dir ccd%s", files[i].more);

		assert_int_equal(mkdir(ccd, 0755), 0);
		write_file(ccd, files[i].name, files[i].text, 0644);
		assert_finds(*state, &(struct trial){ .server = server }, files[i].text, FINDING_NOTE, files[i].rule);
		path = text_format("%s/%s", ccd, files[i].name);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(rmdir(ccd), 0);
		free(path);
		free(server);
	}
	free(ccd);
}

/* What the dropped user can read, by owner, group and mode of the file and of each folder above it. */
static void
dropped_user(void **state)
{
	static const char who[] = "user nobody\ngroup nogroup\npersist-key\npersist-tun\n";
	char *crl = text_format("%s/crl.pem", (const char *)*state), *server = text_format("%scrl-verify crl.pem", who);
	char *folder = text_format("%s/serials-revoked", (const char *)*state);
	char *serials = text_format("%scrl-verify serials-revoked dir", who);
	char *ccd = text_format("%sclient-config-dir ccd", who);
	const struct trial t = { .server = server }, t_ccd = { .server = ccd };
	struct buf out = BUF_INIT(4096);

	if (getpwnam("nobody") == NULL || getuid() != 0) {
		skip();
	}
	assert_int_equal(chmod(*state, 0711), 0);
	assert_finds(*state, &t, "0644", FINDING_WARNING, NULL);
	assert_int_equal(chmod(crl, 0600), 0);
	assert_finds(*state, &t, "0600", FINDING_WARNING, "server-crl-unreadable");
	assert_int_equal(chmod(crl, 0644), 0);
	assert_int_equal(chmod(*state, 0700), 0);
	assert_finds(*state, &t, "0700 above it", FINDING_WARNING, "server-crl-unreadable");
	/* A folder that cannot be entered has no revoked phone to the server, nor has a file that cannot be read. */
	assert_finds(*state, &(struct trial){ .server = serials, .alone = true }, "0700 above the folder",
	    FINDING_WARNING, "server-crl-dir-unreadable");
	assert_finds(*state, &(struct trial){ .server = serials, .cert = "revoked" }, "0700 above the folder",
	    FINDING_ERROR, "server-not-revoked");
	assert_int_equal(chmod(*state, 0711), 0);
	assert_finds(*state, &(struct trial){ .server = serials, .cert = "revoked" }, "0755", FINDING_WARNING,
	    "server-phone-revoked");
	support_shell(&out, NULL, "chmod 600 '%s'/*", folder);
	assert_finds(*state, &(struct trial){ .server = serials, .cert = "revoked" }, "0600 of the serial",
	    FINDING_WARNING, "server-not-revoked");
	assert_finds(*state, &(struct trial){ .server = serials }, "... of another's", FINDING_WARNING, NULL);
	support_shell(&out, NULL, "chmod 644 '%s'/*", folder);
	support_shell(&out, NULL, "mkdir '%s/ccd' && echo disable >'%s/ccd/phone'", (const char *)*state,
	    (const char *)*state);
	assert_finds(*state, &t_ccd, "0644 of the client-config file", FINDING_WARNING, "server-ccd-disabled");
	support_shell(&out, NULL, "chmod 600 '%s/ccd/phone'", (const char *)*state);
	assert_finds(*state, &t_ccd, "0600 of the client-config file", FINDING_WARNING, "server-ccd-unreadable");
	support_shell(&out, NULL, "rm -r '%s/ccd'", (const char *)*state);
	buf_release(&out);
	free(ccd);
	free(crl);
	free(folder);
	free(server);
	free(serials);
}

/* Keys of both sides, which must never be seen in a text. */
static void
static_keys(void **state)
{
	struct buf key = BUF_INIT(65536), phone = BUF_INIT(65536);
	static const struct {
		const char *server, *direction, *rule;
	} list[] = {
		{ "tls-auth ta.key 0", "key-direction 1", NULL },
		{ "tls-auth ta.key 1", "key-direction 0", NULL },
		{ "tls-auth ta.key", "", NULL },
		{ "key-direction 0\ntls-auth ta.key", "key-direction 1", NULL },
		{ "tls-auth ta.key 0", "key-direction 0", "server-tls-auth" },
		{ "tls-auth ta.key 0", "", "server-tls-auth" },
		{ "tls-auth ta.key", "key-direction 1", "server-tls-auth" },
		{ "tls-auth other.key 0", "key-direction 1", "server-tls-auth" },
		{ "", "key-direction 1", "server-tls-auth" },
		{ "tls-auth crl-garbage.pem 0", "key-direction 1", "server-file-broken" },
	};

	support_shell(&key, NULL, "openvpn --genkey secret '%s/other.key'", (const char *)*state);
	support_shell(&key, NULL, "{ openvpn --genkey secret '%s/ta.key' && cat '%s/ta.key'; }", (const char *)*state,
	    (const char *)*state);
	for (size_t i = 0; i < COUNT(list); i++) {
		struct findings f = FINDINGS_INIT;
		struct trial t = { .server = list[i].server };

		buf_clear(&phone);
		buf_addf(&phone, "%s\n<tls-auth>\n%s</tls-auth>", list[i].direction, buf_string(&key));
		t.phone = buf_string(&phone);
		assert_finds(*state, &t, list[i].server, FINDING_ERROR, list[i].rule);
		trial_run(*state, &t, &f);
		for (size_t n = 0; n < f.count; n++)
			assert_null(strstr(f.list[n].text, "-----"));
		findings_release(&f);
	}
	buf_release(&key);
	buf_release(&phone);
}

/* Everything inline, as some servers have it, and a folder of its own with "cd". */
static void
inline_and_cd(void **state)
{
	const struct check_clock clock = { .now = time(NULL), .days = CHECK_DAYS_DEFAULT };
	struct buf text = BUF_INIT(1 << 20);
	struct findings f = FINDINGS_INIT;
	struct check_server *server;
	char *elsewhere = support_folder(), *path;
	struct err e = ERR_INIT;

	lines_add(usual_server, "-ca\n-cert\n-key\n", &text);
	pem_add(*state, "ca", "one.crt", &text);
	pem_add(*state, "cert", "server.crt", &text);
	pem_add(*state, "key", "key.key", &text);
	pem_add(*state, "crl-verify", "crl.pem", &text);
	path = support_file(elsewhere, "inline.conf", text.data, text.len);
	assert_ok(check_server_open(path, &clock, &f, &server, &e), e);
	assert_int_equal(f.count, 0);
	check_server_close(server);
	free(path);
	buf_clear(&text);
	buf_addf(&text, "cd %s\n", (const char *)*state);
	lines_add(usual_server, "crl-verify crl.pem", &text);
	path = support_file(elsewhere, "inline.conf", text.data, text.len);
	assert_ok(check_server_open(path, &clock, &f, &server, &e), e);
	assert_int_equal(f.count, 0);
	check_server_close(server);
	free(path);
	support_remove(elsewhere);
	assert_fails(check_server_open("no-such-file", &clock, &f, &server, &e), e, ERR_NOT_FOUND, "no-such-file");
	findings_release(&f);
	buf_release(&text);
}

/* The last phones of a fleet stay off. */
static void
fleet(void **state)
{
	static const struct {
		const char *server;
		size_t phones;
		const char *network, *rule;
	} list[] = {
		{ "", 253, "10.8.0.0/24", NULL },
		{ "", 254, "10.8.0.0/24", "server-max-clients" },
		{ "max-clients 10", 11, NULL, "server-max-clients" },
		{ "max-clients 10x", 11, NULL, "server-max-clients" },
		{ "-server\nserver 10.8.0.0 255.255.0.0", 1025, NULL, "server-max-clients" },
		{ "-server\nserver 10.8.0.0 255.255.0.0\nmax-clients 65533", 65533, "10.8.0.0/16", NULL },
		{ "-topology\ntopology net30", 62, NULL, NULL },
		{ "-topology\ntopology net30", 63, NULL, "server-max-clients" },
		{ "-topology\ntopology p2p", 248, NULL, NULL },
		{ "-topology\ntopology p2p", 249, NULL, "server-max-clients" },
		{ "", 1, "10.9.0.0/24", "server-network-setting" },
		{ "", 1, "10.8.0.0/16", "server-network-setting" },
	};
	const struct check_clock clock = { .now = time(NULL), .days = CHECK_DAYS_DEFAULT };

	for (size_t i = 0; i < COUNT(list); i++) {
		struct buf text = BUF_INIT(1 << 16);
		struct findings f = FINDINGS_INIT;
		struct check_server *server;
		struct err e = ERR_INIT;
		char *path;

		lines_add(usual_server, list[i].server, &text);
		path = support_file(*state, "fleet.conf", text.data, text.len);
		assert_ok(check_server_open(path, &clock, &f, &server, &e), e);
		findings_clear(&f);
		check_server_fleet(server, list[i].phones, list[i].network, &f);
		assert_int_equal(f.count, list[i].rule == NULL ? 0 : 1);
		if (list[i].rule != NULL)
			assert_string_equal(f.list[0].rule->id, list[i].rule);
		check_server_close(server);
		findings_release(&f);
		assert_int_equal(unlink(path), 0);
		free(path);
		buf_release(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_complete),
		cmocka_unit_test(does_not_start),
		cmocka_unit_test(does_not_connect),
		cmocka_unit_test(warns),
		cmocka_unit_test(notes),
		cmocka_unit_test(no_false_alarm),
		cmocka_unit_test(dates),
		cmocka_unit_test(client_config),
		cmocka_unit_test(dropped_user),
		cmocka_unit_test(static_keys),
		cmocka_unit_test(inline_and_cd),
		cmocka_unit_test(fleet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
