/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "phone/boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The boot without a network: what the machine asks for, and what it makes of each answer. Without this, a mistake in a
 * rule of the page would show only behind a server and a tunnel.
 */
#define BASE "http://pbx.example.com/"
#define BUNDLE_URL "http://u:p@pbx.example.com/b.ovpn"

struct answer {
	int rc;
	enum err_code code;
	const char *body; /* "{md5}" stands for that of the bundle */
};

/* The bundle that every boot here is given: good for the phone, made by openssl. */
static struct buf bundle = BUF_INIT(STORE_BUNDLE_MAX);
static char md5[MD5_HEX_SIZE];

struct run {
	struct phone phone;
	struct report report;
	char asked[512]; /* the URLs, a line each */
};

static void
boot_with(struct run *r, const struct answer *answers, size_t count)
{
	const struct boot_options o = { .clock = time(NULL), .no_connect = true };
	struct boot b;
	size_t i = 0;

	r->asked[0] = '\0';
	report_start(&r->report, REPORT_NONE, true);
	boot_start(&b, &r->phone, &r->report, &o);
	while (boot_go(&b) == BOOT_FETCH) {
		const char *url = boot_request(&b)->url;
		struct err e = ERR_INIT;
		const char *at;

		(void)snprintf(r->asked + strlen(r->asked), sizeof(r->asked) - strlen(r->asked), "%s\n", url);
		assert_true(i < count);
		if (answers[i].rc != 0)
			(void)err_set(&e, answers[i].code, "not there");
		at = answers[i].body != NULL ? strstr(answers[i].body, "{md5}") : NULL;
		if (answers[i].rc == 0 && answers[i].body == NULL)
			buf_add(boot_body(&b), bundle.data, bundle.len);
		else if (answers[i].rc == 0 && at == NULL)
			buf_add_string(boot_body(&b), answers[i].body);
		else if (answers[i].rc == 0)
			buf_addf(boot_body(&b), "%.*s%s%s", (int)(at - answers[i].body), answers[i].body, md5, at + 5);
		boot_fetched(&b, answers[i].rc, &e);
		i++;
	}
	assert_int_equal(i, count);
	boot_release(&b);
	report_release(&r->report);
}

static void
phone_new(struct run *r, const char *model, const char *firmware)
{
	struct err e = ERR_INIT;

	assert_ok(phone_in_memory("000fd3006501", model, firmware, &r->phone, &e), e);
	assert_ok(text_copy(r->phone.store.config_url, sizeof(r->phone.store.config_url), BASE, "url", &e), e);
}

#define XML(enable, attributes)                                                         \
	"<config><setting id=\"network_default_enable_openvpn\" value=\"" enable "\"/>" \
	"<setting id=\"openvpn_inline_config\" url=\"" BUNDLE_URL "\" " attributes "/></config>"
#define GOOD XML("1", "value=\"1\" md5=\"{md5}\"")
#define GOOD_LOGGING                                                           \
	"<config><setting id=\"network_default_enable_openvpn\" value=\"1\"/>" \
	"<setting id=\"openvpn_logging\" value=\"1\"/>"                        \
	"<setting id=\"openvpn_inline_config\" url=\"" BUNDLE_URL "\" value=\"1\" md5=\"{md5}\"/></config>"

static void
assert_boot(struct run *r, const struct answer *answers, size_t count, enum verdict verdict, const char *has)
{
	boot_with(r, answers, count);
	assert_string_equal(verdict_name(r->report.verdict), verdict_name(verdict));
	assert_string_equal(r->phone.store.md5, has);
}

#define BOOT(r, verdict, has, ...)                             \
	assert_boot(r, (const struct answer[]){ __VA_ARGS__ }, \
	    sizeof((const struct answer[]){ __VA_ARGS__ }) / sizeof(struct answer), verdict, has)

/* A first boot fetches <mac>.cfg and the bundle, and nothing else; the next one only the XML. */
static void
test_first_and_next(void **state)
{
	struct run r;

	(void)state;
	phone_new(&r, "D65", "2_7_0");
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD }, { .body = NULL });
	assert_string_equal(r.asked, BASE "000fd3006501.cfg\n" BUNDLE_URL "\n");
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD });
	assert_string_equal(r.asked, BASE "000fd3006501.cfg\n");
	/* "Even if this setting is disabled, the phone will continue to retrieve new certificates" */
	phone_close(&r.phone);
	phone_new(&r, "D65", "2_7_0");
	BOOT(&r, VERDICT_VPN_DISABLED, md5, { .body = XML("0", "value=\"1\" md5=\"{md5}\"") }, { .body = NULL });
	phone_close(&r.phone);
}

/* Each failure has its class, and what was stored stays. */
static void
test_verdicts(void **state)
{
	struct run r;

	(void)state;
	phone_new(&r, "D65", "2_7_0");
	BOOT(&r, VERDICT_MD5_MISSING, "", { .body = XML("1", "value=\"1\"") });
	BOOT(&r, VERDICT_XML_BAD, "", { .body = XML("1", "value=\"0\" md5=\"{md5}\"") });
	BOOT(&r, VERDICT_MD5_MISSING, "",
	    { .body = "<config><setting id=\"network_default_enable_openvpn\" value=\"1\"/></config>" });
	BOOT(&r, VERDICT_MD5_MISMATCH, "", { .body = GOOD }, { .body = "other bytes" });
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD }, { .body = NULL });
	BOOT(&r, VERDICT_XML_UNREACHABLE, md5, { .rc = -1, .code = ERR_FAILED });
	BOOT(&r, VERDICT_XML_UNREACHABLE, md5, { .rc = -1, .code = ERR_NOT_FOUND });
	BOOT(&r, VERDICT_LOGIN_REFUSED, md5, { .rc = -1, .code = ERR_DENIED });
	BOOT(&r, VERDICT_XML_BAD, md5, { .body = "<html/>" });
	BOOT(&r, VERDICT_BUNDLE_UNREACHABLE, md5, { .body = XML("1", "value=\"1\" md5=\"abc123\"") },
	    { .rc = -1, .code = ERR_FAILED });
	BOOT(&r, VERDICT_LOGIN_REFUSED, md5, { .body = XML("1", "value=\"1\" md5=\"abc123\"") },
	    { .rc = -1, .code = ERR_DENIED });
	BOOT(&r, VERDICT_MD5_MISMATCH, md5, { .body = XML("1", "value=\"1\" md5=\"abc123\"") }, { .body = NULL });
	phone_close(&r.phone);
}

/* A file with the right md5 is installed; whether the phone can run it shows afterwards. */
static void
test_bad_bundle(void **state)
{
	struct buf sum = BUF_INIT(64), xml = BUF_INIT(1024);
	struct answer answers[2] = { { .body = NULL }, { .body = "client\n" } };
	char expected[MD5_HEX_SIZE];
	struct run r;

	(void)state;
	support_shell(&sum, NULL, "{ printf 'client\\n' | md5sum | cut -c1-32; }");
	(void)snprintf(expected, sizeof(expected), "%.32s", buf_string(&sum));
	buf_addf(&xml, "%s%s\"/></config>",
	    "<config><setting id=\"network_default_enable_openvpn\" value=\"1\"/><setting id=\"openvpn_inline_config\" "
	    "url=\"" BUNDLE_URL "\" value=\"1\" md5=\"",
	    expected);
	answers[0].body = buf_string(&xml);
	phone_new(&r, "D65", "2_7_0");
	assert_boot(&r, answers, 2, VERDICT_BUNDLE_BAD, expected);
	phone_close(&r.phone);
	buf_release(&sum);
	buf_release(&xml);
}

/* "Models D40, D45, D50, and D70 do not support OpenVPN connectivity": the XML is read, and nothing of it used. */
static void
test_models(void **state)
{
	static const char *const without[] = { "D40", "D45", "D50", "D70" };
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		phone_new(&r, without[i], "2_9_26");
		BOOT(&r, VERDICT_VPN_UNSUPPORTED, "", { .body = GOOD });
		phone_close(&r.phone);
	}
	phone_new(&r, "D65", "2_6_6");
	BOOT(&r, VERDICT_VPN_UNSUPPORTED, "", { .body = GOOD });
	phone_close(&r.phone);
	phone_new(&r, "D80", "1_9_0");
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD }, { .body = NULL });
	phone_close(&r.phone);
}

/* "Setting this will cause the phone to restart": once for a change, and never without end. */
static void
test_restart(void **state)
{
	struct run r;

	(void)state;
	phone_new(&r, "D65", "2_7_0");
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD_LOGGING }, { .body = GOOD_LOGGING }, { .body = NULL });
	assert_true(r.phone.store.logging);
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD_LOGGING });
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD }, { .body = GOOD });
	assert_false(r.phone.store.logging);
	BOOT(&r, VERDICT_OK, md5, { .body = GOOD_LOGGING }, { .body = GOOD }, { .body = GOOD_LOGGING },
	    { .body = GOOD });
	phone_close(&r.phone);
}

/* The phone's admin password is the factory's until the XML names one, and kept from then on. */
static void
test_admin_password(void **state)
{
	struct run r;

	(void)state;
	phone_new(&r, "D65", "2_7_0");
	assert_string_equal(r.phone.store.admin_password, "");
	BOOT(&r, VERDICT_VPN_DISABLED, "",
	    { .body = "<config><setting id=\"login_password\" value=\"4711\"/></config>" });
	assert_string_equal(r.phone.store.admin_password, "4711");
	BOOT(&r, VERDICT_VPN_DISABLED, "", { .body = "<config/>" });
	assert_string_equal(r.phone.store.admin_password, "4711");
	phone_close(&r.phone);
}

static int
make_bundle(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	support_shell(&bundle, NULL,
	    "d=$(mktemp -d) && cd $d && exec 2>/dev/null && "
	    "openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=ca -keyout ca.key -out ca.crt && "
	    "openssl req -newkey rsa:2048 -nodes -subj /CN=phone -keyout phone.key -out phone.csr && "
	    "openssl x509 -req -in phone.csr -CA ca.crt -CAkey ca.key -days 2 -out phone.crt && "
	    "{ printf '%%s\\n' client 'dev tun' 'proto udp' 'remote vpn.example.com 1194' nobind 'cipher AES-256-CBC' '<ca>'; "
	    "cat ca.crt; printf '</ca>\\n<cert>\\n'; cat phone.crt; printf '</cert>\\n<key>\\n'; cat phone.key; echo '</key>'; }; "
	    "rm -r $d");
	return md5_hex(bundle.data, bundle.len, md5, &e);
}

static int
drop_bundle(void **state)
{
	(void)state;
	buf_release(&bundle);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_and_next),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_bad_bundle),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_admin_password),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_bundle, drop_bundle);
}
