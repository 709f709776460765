/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/archive.h"
#include "phone/openvpn.h"
#include "phone/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAC "000fd3054848"

static void
assert_redacted(const char *text, const char *expected)
{
	struct buf out = BUF_INIT(65536);

	redact_log(text, strlen(text), &out);
	assert_false(out.broken);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* What support needs to find the fault stays in the log. */
static void
test_log_stays(void **state)
{
	static const char log[] =
	    "2026-11-23 21:44:39 OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO]\n"
	    "2026-11-23 21:44:39 TCP/UDP: Preserving recently used remote address: [AF_INET]198.18.0.1:1194\n"
	    "2026-11-23 21:44:39 VERIFY OK: depth=0, O=Lab, CN=vpn.example.com\n"
	    "2026-11-23 21:44:40 Outgoing Data Channel: Using 160 bit message hash 'SHA1' for HMAC authentication\n"
	    "2026-11-23 21:44:40 AUTH: Received control message: AUTH_FAILED\n"
	    "2026-11-23 21:44:40 VERIFY ERROR: depth=0, error=certificate has expired: CN=x, serial=41229\n"
	    "2026-11-23 21:44:41 TLS Error: TLS key negotiation failed to occur within 60 seconds\n"
	    "2026-11-23 21:44:41 peer fingerprint 3b:5c:2a:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00\n"
	    "fetching https://pbx.example.com:8080/x?y=z\n";

	(void)state;
	assert_redacted(log, log);
	assert_redacted("", "");
	assert_redacted("no end", "no end\n");
}

/* Whoever gets the archive must not be able to log in, or to be the phone. */
static void
test_secrets_go(void **state)
{
	(void)state;
	assert_redacted("a\n-----BEGIN PRIVATE KEY-----\nAb==\n-----END PRIVATE KEY-----\nb\n",
	    "a\n(removed: a key)\nb\n");
	assert_redacted("a\n-----BEGIN RSA PRIVATE KEY-----\nno end\nz", "a\n(removed: a key)\n");
	assert_redacted("-----BEGIN OpenVPN Static key V1-----\n00\n-----END OpenVPN Static key V1-----\nb\n",
	    "(removed: a key)\nb\n");
	/* The end of a log may begin inside of a key. */
	assert_redacted("Ab==\n-----END PRIVATE KEY-----\nb\n", "(removed: a key)\nb\n");
	assert_redacted("a\nauth-user-pass x\nPUSH_REPLY,auth-token abc\nb\n",
	    "a\n(removed: about a key or a login)\nb\n");
	assert_redacted("Master Encrypt (cipher): 11 22\n", "(removed: about a key or a login)\n");
	assert_redacted("x 0123abcd 4567abcd 89abcdef 01234567\n", "(removed: digits that may be a key)\n");
	assert_redacted("get https://u:p@w@h/x, http://u@h\n", "get https://(removed)@h/x, http://(removed)@h\n");
	assert_redacted("x MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj y\n", "x (removed) y\n");
	assert_redacted("-----BEGIN CERTIFICATE----------BEGIN PRIVATE KEY-----\nAb\n", "(removed: a key)\n");
}

static struct phone
phone_new(const char *dir)
{
	struct err e = ERR_INIT;
	struct phone p;

	assert_ok(store_open(dir, &p.store, &e), e);
	(void)snprintf(p.store.mac, sizeof(p.store.mac), MAC);
	(void)snprintf(p.store.model, sizeof(p.store.model), "D65");
	(void)snprintf(p.store.firmware, sizeof(p.store.firmware), "2_9_27");
	(void)snprintf(p.store.config_url, sizeof(p.store.config_url),
	    "http://user:hunter2@pbx.example.com/?k=hunter2");
	(void)snprintf(p.store.admin_password, sizeof(p.store.admin_password), "44711");
	p.model = model_find("D65");
	assert_ok(firmware_parse("2_9_27", &p.firmware, &e), e);
	p.why = (struct err)ERR_INIT;
	p.vpn = true;
	return p;
}

/* The archive, unpacked by tar: each file behind its name. */
static void
unpack(const struct phone *p, struct buf *out)
{
	struct buf made = BUF_INIT(ARCHIVE_MAX);
	struct err e = ERR_INIT;

	assert_ok(archive_make(p, &made, &e), e);
	support_shell(out, &made, "{ cat >%s/a && tar tzf %s/a && tar xzOf %s/a; }", p->store.dir, p->store.dir,
	    p->store.dir);
	buf_release(&made);
}

static void
test_archive(void **state)
{
	static const char log[] = "VERIFY OK\nauth-user-pass hunter2\n";
	char *dir = support_folder();
	struct buf out = BUF_INIT(1 << 20);
	struct phone p = phone_new(dir);

	(void)state;
	unpack(&p, &out);
	assert_non_null(strstr(buf_string(&out), "refphone-" MAC "/settings.json\nrefphone-" MAC "/status.json\n"));
	assert_null(strstr(buf_string(&out), OPENVPN_LOG));
	buf_clear(&out);
	free(support_file(dir, OPENVPN_LOG, log, strlen(log)));
	unpack(&p, &out);
	assert_non_null(strstr(buf_string(&out), "refphone-" MAC "/" OPENVPN_LOG "\n"));
	assert_non_null(strstr(buf_string(&out), "VERIFY OK\n"));
	assert_non_null(strstr(buf_string(&out), "\"config_url\": \"http://pbx.example.com/"));
	assert_null(strstr(buf_string(&out), "hunter2"));
	assert_null(strstr(buf_string(&out), "44711"));
	buf_release(&out);
	phone_close(&p);
	support_remove(dir);
}

/* Of a log that grew for weeks, the end; of a key at the place of the cut, nothing. */
static void
test_long_log(void **state)
{
	struct buf log = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20);
	char *dir = support_folder();
	struct phone p = phone_new(dir);

	(void)state;
	buf_add_string(&log, "the beginning\n-----BEGIN PRIVATE KEY-----\n");
	while (log.len < ARCHIVE_LOG_MAX + 4096)
		buf_add_string(&log, "c2VjcmV0\n");
	buf_add_string(&log, "-----END PRIVATE KEY-----\nthe end\n");
	free(support_file(dir, OPENVPN_LOG, log.data, log.len));
	unpack(&p, &out);
	assert_non_null(strstr(buf_string(&out), "(removed: a key)\nthe end\n"));
	assert_null(strstr(buf_string(&out), "the beginning"));
	assert_null(strstr(buf_string(&out), "c2VjcmV0"));
	buf_release(&log);
	buf_release(&out);
	phone_close(&p);
	support_remove(dir);
}

/* Nothing but a file is read: a link to another file would hand that out. */
static void
test_no_log_file(void **state)
{
	struct buf made = BUF_INIT(ARCHIVE_MAX), said = BUF_INIT(1024);
	char *dir = support_folder();
	struct phone p = phone_new(dir);
	struct err e = ERR_INIT;

	(void)state;
	support_shell(&said, NULL, "ln -s /etc/passwd %s/" OPENVPN_LOG, dir);
	assert_fails(archive_make(&p, &made, &e), e, ERR_FAILED, OPENVPN_LOG);
	support_shell(&said, NULL, "rm %s/" OPENVPN_LOG " && mkfifo %s/" OPENVPN_LOG, dir, dir);
	assert_fails(archive_make(&p, &made, &e), e, ERR_FAILED, "expected a file");
	buf_release(&made);
	buf_release(&said);
	phone_close(&p);
	support_remove(dir);
}

/* Memory that is short is an error, and no shorter archive. */
static void
test_too_large(void **state)
{
	struct buf made = BUF_INIT(100);
	char *dir = support_folder();
	struct phone p = phone_new(dir);
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(archive_make(&p, &made, &e), e, ERR_FAILED, "debug archive");
	buf_release(&made);
	phone_close(&p);
	support_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_stays),
		cmocka_unit_test(test_secrets_go),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_long_log),
		cmocka_unit_test(test_no_log_file),
		cmocka_unit_test(test_too_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
