/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "provisioner/check_xml.h"
#include "provisioner/xml.h"

#include <stdio.h>
#include <string.h>

#define MD5 "d41d8cd98f00b204e9800998ecf8427e" /* RFC 1321 appendix A.5, the empty string's */
#define ADMIN "<setting id=\"login_password\" value=\"4711\"/>"
#define ENABLE "<setting id=\"network_default_enable_openvpn\" value=\"1\"/>"
#define URL "https://user:pass@server.example.com/client.ovpn"
#define BUNDLE "<setting id=\"openvpn_inline_config\" url=\"" URL "\" value=\"1\" md5=\"" MD5 "\"/>"
#define LOGGING "<setting id=\"openvpn_logging\" value=\"0\"/>"
#define CONFIG(inside) "<config>\n" inside "\n</config>\n"
#define BUNDLE_URL(url) \
	CONFIG(ADMIN ENABLE "<setting id=\"openvpn_inline_config\" url=\"" url "\" value=\"1\" md5=\"" MD5 "\"/>")
#define BUNDLE_MD5(md5) \
	CONFIG(ADMIN ENABLE "<setting id=\"openvpn_inline_config\" url=\"" URL "\" value=\"1\" " md5 "/>")
#define SERVER(url) CONFIG(ADMIN ENABLE BUNDLE "\n<setting id=\"config_server_url\" value=\"" url "\"/>")

/* The ids of what was found, in order, with a blank between. */
static void
rules_found(const void *text, size_t len, const struct check_xml_params *params, struct buf *ret)
{
	struct findings found = FINDINGS_INIT;
	struct err e = ERR_INIT;

	assert_ok(check_xml("test.cfg", text, len, params, &found, &e), e);
	for (size_t i = 0; i < found.count; i++) {
		assert_string_equal(found.list[i].file, "test.cfg");
		/* Nothing secret: the test's passwords all hold this. */
		assert_null(strstr(found.list[i].text, "pass@"));
		assert_null(strstr(found.list[i].text, "s3cret"));
		buf_addf(ret, "%s%s", i > 0 ? " " : "", found.list[i].rule->id);
	}
	findings_release(&found);
}

static void
assert_rules(const char *xml, const struct check_xml_params *params, const char *expected)
{
	const struct check_xml_params none = { 0 };
	struct buf ids = BUF_INIT(1 << 16);

	rules_found(xml, strlen(xml), params != NULL ? params : &none, &ids);
	if (strcmp(buf_string(&ids), expected) != 0)
		print_error("%s\n", xml);
	assert_string_equal(buf_string(&ids), expected);
	buf_release(&ids);
}

/* An admin would be sent after faults that are none: the vendor's own lines, and what phones get from us. */
static void
test_no_false_alarm(void **state)
{
	const struct xml_vpn vpn = { .mode = XML_VPN_OFFER, .url = URL, .md5 = MD5, .enable = true };
	struct check_xml_params params = { .model = model_find("D65") };
	struct firmware firmware;
	struct buf ours = BUF_INIT(XML_MAX), ids = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(firmware_parse("2_7_0", &firmware, &e), e);
	assert_ok(check_network_parse("10.8.0.0/16", "network", &params.vpn, &e), e);
	params.firmware = &firmware;
	/* Page, section "Configuration Elements", with the md5 filled in. */
	assert_rules(CONFIG(ADMIN "<setting id=\"network_default_enable_openvpn\" value=\"1\" />\n"
				  "<setting id=\"openvpn_inline_config\" "
				  "url=\"https://user:pass@server.example.com/client.ovpn\" value=\"1\" md5=\"" MD5
				  "\" />\n"
				  "<setting id=\"openvpn_logging\" value=\"0\" />"),
	    &params, "");
	assert_ok(xml_minimal(&vpn, NULL, &ours, &e), e);
	rules_found(ours.data, ours.len, &params, &ids);
	assert_string_equal(buf_string(&ids), "xml-admin-password");
	/* FusionPBX's template for a phone that has no OpenVPN. */
	params.model = model_find("D40");
	params.firmware = NULL;
	assert_rules(CONFIG(ADMIN "<setting id=\"network_default_enable_openvpn\" value=\"0\" />"), &params,
	    "xml-enable-off");
	buf_release(&ours);
	buf_release(&ids);
}

/* A document that the phone cannot read, or reads nothing of the VPN in. */
static void
test_document(void **state)
{
	(void)state;
	assert_rules("<config>", NULL, "xml-syntax");
	assert_rules("<config></config>\n<x/>", NULL, "xml-syntax");
	assert_rules("", NULL, "xml-size");
	assert_rules("<!DOCTYPE config><config/>", NULL, "xml-doctype");
	assert_rules("<html><body>404</body></html>", NULL, "xml-root");
	assert_rules("<config/>", NULL, "xml-vpn-absent");
	assert_rules(CONFIG(ADMIN LOGGING), NULL, "xml-vpn-absent");
	assert_rules("<?xml version=\"1.0\" encoding=\"KOI8-R\"?><config/>", NULL, "xml-encoding xml-vpn-absent");
}

/* A phone would boot without a setting that stands in its document, or take the wrong one of two. */
static void
test_settings(void **state)
{
	(void)state;
	assert_rules(CONFIG(ADMIN ENABLE BUNDLE BUNDLE), NULL, "xml-setting-twice");
	assert_rules(CONFIG(ADMIN ENABLE BUNDLE LOGGING LOGGING LOGGING), NULL, "xml-setting-twice xml-setting-twice");
	assert_rules(CONFIG(ADMIN BUNDLE
			 "<setting id=\"network_default_enable_openvpn\" value=\"1\" network=\"10.0.0.0/8\"/>" ENABLE),
	    NULL, "");
	assert_rules(CONFIG(ADMIN BUNDLE "<locale id=\"de\">" ENABLE "</locale>"), NULL,
	    "xml-setting-misplaced xml-enable-missing");
	assert_rules(CONFIG(ADMIN BUNDLE "<network_default_enable_openvpn>1</network_default_enable_openvpn>"), NULL,
	    "xml-setting-misplaced xml-enable-missing");
	assert_rules(CONFIG(ADMIN BUNDLE "<Setting id=\"network_default_enable_openvpn\" value=\"1\"/>"), NULL,
	    "xml-setting-misplaced xml-enable-missing");
	assert_rules("<config xmlns:x=\"urn:x\">" ADMIN BUNDLE
		     "<x:setting id=\"network_default_enable_openvpn\" value=\"1\"/></config>",
	    NULL, "xml-setting-misplaced xml-enable-missing");
	assert_rules(CONFIG(ADMIN BUNDLE "<setting id=\"network_default_enable_open_vpn\" value=\"1\"/>"), NULL,
	    "xml-setting-misspelt xml-enable-missing");
	assert_rules(CONFIG(ADMIN ENABLE "<setting id=\"OpenVPN-Inline-Config\" value=\"1\"/>"), NULL,
	    "xml-setting-misspelt xml-bundle-missing");
	assert_rules(CONFIG(ADMIN ENABLE BUNDLE "<setting id=\"openvpn_loging\" value=\"1\"/>"), NULL,
	    "xml-setting-unknown");
	assert_rules(CONFIG(ADMIN ENABLE BUNDLE "<setting id=\"openvpn_ca_file\" url=\"x\"/>"
						"<setting id=\"network_openvpn\" value=\"1\"/>"
						"<setting id=\"network_enable_dhcp\" value=\"1\"/>"),
	    NULL, "xml-setting-unknown xml-setting-unknown");
	assert_rules(CONFIG(ADMIN ENABLE BUNDLE "<setting id=\"openvpn_logging\" value=\"0\" Value=\"0\"/>"), NULL,
	    "xml-attribute-unknown");
}

static void
test_switches(void **state)
{
	(void)state;
	assert_rules(CONFIG(ADMIN BUNDLE "<setting id=\"network_default_enable_openvpn\" value=\"yes\"/>"), NULL,
	    "xml-switch-value xml-enable-off");
	assert_rules(CONFIG(ADMIN BUNDLE "<setting id=\"network_default_enable_openvpn\" value=\" 1\"/>"), NULL,
	    "xml-switch-value xml-enable-off");
	assert_rules(CONFIG(ADMIN BUNDLE "<setting id=\"network_default_enable_openvpn\"/>"), NULL,
	    "xml-switch-value xml-enable-off");
	assert_rules(CONFIG(ADMIN BUNDLE "<setting id=\"network_default_enable_openvpn\" value=\"0\"/>"), NULL,
	    "xml-enable-off");
	assert_rules(CONFIG(ADMIN BUNDLE), NULL, "xml-enable-missing");
	assert_rules(CONFIG(ADMIN ENABLE), NULL, "xml-bundle-missing");
	assert_rules(CONFIG(ADMIN ENABLE BUNDLE "<setting id=\"openvpn_logging\" value=\"1\"/>"), NULL,
	    "xml-logging-on");
	assert_rules(CONFIG(ENABLE BUNDLE), NULL, "xml-admin-password");
	assert_rules(CONFIG("<setting id=\"login_password\" value=\"789\"/>" ENABLE BUNDLE), NULL,
	    "xml-admin-password");
	assert_rules(CONFIG("<setting id=\"login_password\" value=\"s3cret\"/>" ENABLE BUNDLE), NULL,
	    "xml-admin-password-digits");
}

/* The phone would not download its bundle, or discard it. */
static void
test_bundle(void **state)
{
	(void)state;
	assert_rules(BUNDLE_MD5(""), NULL, "xml-md5-missing");
	assert_rules(BUNDLE_MD5("md5=\"\""), NULL, "xml-md5-missing");
	assert_rules(BUNDLE_MD5("md5sum=\"" MD5 "\""), NULL, "xml-attribute-unknown xml-md5-missing");
	assert_rules(BUNDLE_MD5("md5=\"abc123\""), NULL, "xml-md5-malformed");
	assert_rules(BUNDLE_MD5("md5=\"" MD5 "  client.ovpn\""), NULL, "xml-md5-malformed");
	assert_rules(BUNDLE_MD5("md5=\"D41D8CD98F00B204E9800998ECF8427E\""), NULL, "xml-md5-case");
	assert_rules(CONFIG(ADMIN ENABLE "<setting id=\"openvpn_inline_config\" value=\"1\" md5=\"" MD5 "\"/>"), NULL,
	    "xml-url-missing");
	assert_rules(CONFIG(ADMIN ENABLE "<setting id=\"openvpn_inline_config\" url=\"" URL "\" md5=\"" MD5 "\"/>"),
	    NULL, "xml-inline-value");
	assert_rules(CONFIG(ADMIN ENABLE "<setting id=\"openvpn_inline_config\" url=\"" URL "\" value=\"0\" md5=\"" MD5
					 "\"/>"),
	    NULL, "xml-inline-value");
}

/* The phone would ask another server, or be refused, or let the password be read. */
static void
test_url(void **state)
{
	(void)state;
	assert_rules(BUNDLE_URL("http://user:pass@server.example.com/c.ovpn"), NULL, "xml-url-clear");
	assert_rules(BUNDLE_URL("HTTPS://user:pass@server.example.com/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://server.example.com/c.ovpn"), NULL, "xml-url-login");
	assert_rules(BUNDLE_URL("https://user@server.example.com/c.ovpn"), NULL, "xml-url-login");
	assert_rules(BUNDLE_URL("https://user:@server.example.com/c.ovpn"), NULL, "xml-url-login");
	assert_rules(BUNDLE_URL("ftp://user:pass@server.example.com/c.ovpn"), NULL, "xml-url-scheme");
	assert_rules(BUNDLE_URL("tftp://server.example.com/c.ovpn"), NULL, "xml-url-scheme xml-url-login");
	assert_rules(BUNDLE_URL("server.example.com/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https:///c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com:70000/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL(" https://user:pass@server.example.com/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com/my phone.ovpn"), NULL, "xml-url-syntax");
	/* RFC 3986 section 3.2.3; and nobody listens at port 0. */
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com:/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:pass@[2001:db8::1]:/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com:?c"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:s3cret|@server.example.com:/c.ovpn"), NULL, "xml-url-bare");
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com:443/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com:0/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@[2001:db8::1]:00/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@:443/c.ovpn"), NULL, "xml-url-syntax");
	/* cURL 7.88: "URL using bad/illegal format", and of the third "bad range". */
	assert_rules(BUNDLE_URL("https://user:s3cret%00@server.example.com/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@server!.example.com/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@[example]/c.ovpn"), NULL, "xml-url-syntax");
	assert_rules(BUNDLE_URL("https://user:pass@[fe80::1%25eth0]/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("http://user:pass@127.0.0.1:8080/c.ovpn"), NULL, "xml-url-clear xml-url-loopback");
	assert_rules(BUNDLE_URL("https://user:pass@localhost/c.ovpn"), NULL, "xml-url-loopback");
}

static void
test_url_encoding(void **state)
{
	static const char *const bare[] = { "s3cret@1", "s3cret/1", "s3cret#1", "s3cret?1", "s3cret 1", "s3cret%zz/" };
	static const char *const odd[] = { "s3cret%1", "s3cret%zz", "s3cret[1]", "s3cret|", "s3cret\xc3\xa9" };

	/* Each is a URL, whose host is "s" or "u": so says cURL 7.88. */
	static const char *const elsewhere[] = { "u:s3cret@s/s@pbx", "u:s3cret@s?s@pbx", "u:s3cret@s#s@pbx",
		"u:12/s@pbx", "u:12?s@pbx", "u/x:12@pbx.example.com" };

	(void)state;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		char xml[1024];

		(void)snprintf(xml, sizeof(xml), BUNDLE_URL("https://%s/c.ovpn"), elsewhere[i]);
		assert_rules(xml, NULL, "xml-url-encoding");
	}
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]) + sizeof(odd) / sizeof(odd[0]); i++) {
		const size_t count = sizeof(bare) / sizeof(bare[0]);
		char xml[1024];

		(void)snprintf(xml, sizeof(xml),
		    CONFIG(ADMIN ENABLE "<setting id=\"openvpn_inline_config\" "
					"url=\"https://user:%s@server.example.com/c.ovpn\" value=\"1\" md5=\"" MD5
					"\"/>"),
		    i < count ? bare[i] : odd[i - count]);
		assert_rules(xml, NULL, i < count ? "xml-url-encoding" : "xml-url-bare");
	}
	assert_rules(BUNDLE_URL("https://user:pass@server.example.com/my|phone.ovpn"), NULL, "xml-url-bare");
	assert_rules(BUNDLE_URL("https://user:s3cret%40%2F%25@server.example.com/c.ovpn"), NULL, "");
	/* RFC 3986 section 3.2.1: these need none. */
	assert_rules(BUNDLE_URL("https://user:s3cret!$'()*+,;=:-._~@server.example.com/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:s3cret@server.example.com/a@b/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:s3cret@[2001:db8::1]/a@b/c.ovpn"), NULL, "");
	assert_rules(BUNDLE_URL("https://user:s3cret@pbx/c.ovpn"), NULL, "");
}

/* The phone could never fetch its first bundle: page, section "Requirements and Overview", the chicken and the egg. */
static void
test_inside_the_vpn(void **state)
{
	static const struct {
		const char *host, *expected;
	} forms[] = {
		{ "10.8.1", "xml-url-in-vpn" },
		{ "10.524289", "xml-url-in-vpn" },
		{ "0x0a080001", "xml-url-in-vpn" },
		{ "168296449", "xml-url-in-vpn" },
		{ "012.0x8.0.1", "xml-url-in-vpn" },
		{ "[::ffff:10.8.0.1]", "xml-url-in-vpn" },
		{ "[::ffff:a08:1]:8443", "xml-url-in-vpn" },
		{ "010.8.0.1", "" },
		{ "10.8.0.256", "" },
		{ "10.8.0.09", "" },
		{ "10.8.0.1.example.com", "" },
		{ "[2001:db8::a08:1]", "" },
		{ "127.1", "xml-url-loopback" },
		{ "2130706433", "xml-url-loopback" },
		{ "[::ffff:127.0.0.1]", "xml-url-loopback" },
		{ "[0:0:0:0:0:0:0:1]", "xml-url-loopback" },
		{ "[::]", "xml-url-loopback" },
		{ "0", "xml-url-loopback" },
	};
	struct check_xml_params params = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(check_network_parse("10.8.0.0/16", "network", &params.vpn, &e), e);
	assert_rules(BUNDLE_URL("https://user:pass@10.8.255.1/c.ovpn"), &params, "xml-url-in-vpn");
	assert_rules(BUNDLE_URL("https://user:pass@10.9.0.1/c.ovpn"), &params, "");
	assert_rules(BUNDLE_URL("https://user:pass@10.8.0.1/c.ovpn"), NULL, "");
	assert_rules(SERVER("https://user:pass@10.8.0.1/"), &params, "xml-config-url-in-vpn");
	/* Each is tried by cURL in 68-check-xml.sh. */
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char xml[1024];

		(void)snprintf(xml, sizeof(xml), BUNDLE_URL("https://user:pass@%s/c.ovpn"), forms[i].host);
		assert_rules(xml, &params, forms[i].expected);
	}
	assert_ok(check_network_parse("192.0.2.7/32", "network", &params.vpn, &e), e);
	assert_rules(BUNDLE_URL("https://user:pass@192.0.2.7/c.ovpn"), &params, "xml-url-in-vpn");
	assert_rules(BUNDLE_URL("https://user:pass@192.0.2.6/c.ovpn"), &params, "");
	assert_fails(check_network_parse("10.8.0.0", "--n", &params.vpn, &e), e, ERR_INPUT,
	    "--n: expected an IPv4 network");
	assert_fails(check_network_parse("10.8.0.0/33", "--n", &params.vpn, &e), e, ERR_INPUT, "10.8.0.0/33");
	assert_fails(check_network_parse("10.8.0.0.0.0.0.0.0.0/8", "--n", &params.vpn, &e), e, ERR_INPUT, "found");
}

static void
test_config_url(void **state)
{
	(void)state;
	assert_rules(SERVER("https://user:pass@server.example.com/"), NULL, "");
	assert_rules(SERVER("sip:proxy@server.example.com:5060;transport=udp"), NULL, "");
	assert_rules(SERVER("ftps://user:pass@files.example.com/phones/"), NULL, "");
	assert_rules(SERVER("tftp://files.example.com/"), NULL, "xml-url-scheme");
	assert_rules(SERVER("https://files.example.com/000fd3054848.cfg"), NULL, "xml-config-url-path");
	assert_rules(SERVER("https://files.example.com/?mac="), NULL, "xml-config-url-path");
	assert_rules(SERVER("https://user:s3cret/1@server.example.com/"), NULL, "xml-url-encoding");
	assert_rules(SERVER("https://user:old@server.example.com/"), NULL, "xml-config-url-login");
}

/* A phone that can have no VPN would be waited for. */
static void
test_phone(void **state)
{
	static const struct {
		const char *model, *firmware, *expected;
	} cases[] = {
		{ "D40", NULL, "xml-model" },
		{ "D45", NULL, "xml-model" },
		{ "D50", NULL, "xml-model" },
		{ "D70", "2_9_27", "xml-model" },
		{ "D60", "2_6_6", "xml-firmware-deprecated" },
		{ "D62", "2_2_1_1", "xml-firmware-deprecated" },
		{ "D65", "2_2_1_0", "xml-firmware-old" },
		{ "D65", "2_7_0", "" },
		{ "D80", "1_8_9", "xml-firmware-old" },
		{ "D80", "1_9_0", "" },
		{ "D80", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct check_xml_params params = { .model = model_find(cases[i].model) };
		struct err e = ERR_INIT;
		struct firmware firmware;

		if (cases[i].firmware != NULL) {
			assert_ok(firmware_parse(cases[i].firmware, &firmware, &e), e);
			params.firmware = &firmware;
		}
		assert_rules(CONFIG(ADMIN ENABLE BUNDLE LOGGING), &params, cases[i].expected);
	}
}

/* Findings would point at other lines than the fault is in. */
static void
test_lines(void **state)
{
	const struct check_xml_params none = { 0 };
	struct buf xml = BUF_INIT(XML_MAX);
	struct findings found = FINDINGS_INIT;
	struct err e = ERR_INIT;

	(void)state;
	buf_add_string(&xml, "<config>\n");
	for (int i = 0; i < 60000; i++)
		buf_add_string(&xml, "<a/>\n");
	buf_add_string(&xml, ENABLE "\n" LOGGING "\n" BUNDLE "\n" LOGGING "\n" ADMIN "\n</config>\n");
	assert_ok(check_xml("test.cfg", xml.data, xml.len, &none, &found, &e), e);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.list[0].line, 60005);
	assert_string_equal(found.list[0].element, "openvpn_logging");
	assert_string_equal(found.list[0].text, "expected once, found again; the first is in line 60003");
	findings_release(&found);
	buf_release(&xml);
}

/* A hostile document would hold the check up, or fill the memory. */
static void
test_many(void **state)
{
	const struct check_xml_params none = { 0 };
	struct buf xml = BUF_INIT(XML_MAX);
	struct findings found = FINDINGS_INIT;
	struct err e = ERR_INIT;

	(void)state;
	buf_add_string(&xml, "<config>");
	for (int i = 0; i < 20000; i++)
		buf_add_string(&xml, "<setting id=\"openvpn_logging\" value=\"1\"/>");
	buf_add_string(&xml, "</config>");
	assert_ok(check_xml("test.cfg", xml.data, xml.len, &none, &found, &e), e);
	assert_int_equal(found.count, FINDINGS_MAX);
	assert_int_equal(found.left_off, 2 * 20000 - FINDINGS_MAX);
	findings_release(&found);
	buf_release(&xml);
}

/* A script that goes by a rule's name would lose it. */
static void
test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; check_xml_rules[i].id != NULL; i++) {
		const struct finding_rule *r = &check_xml_rules[i];

		assert_int_equal(strncmp(r->id, "xml-", 4), 0);
		assert_non_null(r->title);
		assert_int_equal(r->why[strlen(r->why) - 1], '.');
		assert_int_equal(r->fix[strlen(r->fix) - 1] == '.' || strchr(r->fix, '/') != NULL, 1);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(r->id, check_xml_rules[j].id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_false_alarm),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_encoding),
		cmocka_unit_test(test_inside_the_vpn),
		cmocka_unit_test(test_config_url),
		cmocka_unit_test(test_phone),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_rules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
