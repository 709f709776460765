/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "provisioner/xml.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define DATA "tests/data/xml"
#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define URL "https://000fd3054848:a%2Fb%26@pbx.example.com/ovpn/" MD5 "/000fd3054848.ovpn"
#define OUR_IDS "network_default_enable_openvpn|openvpn_inline_config|openvpn_logging"

static const struct xml_vpn offer = { .mode = XML_VPN_OFFER, .url = URL, .md5 = MD5, .enable = true };

static void
data_read(const char *name, struct buf *out)
{
	struct err e = ERR_INIT;
	char path[512];

	(void)snprintf(path, sizeof(path), DATA "/%s", name);
	assert_ok(file_read(path, out, &e), e);
}

/* What xmllint and perl make of a document without our three settings and the white space before each. */
static void
canonical_rest(const struct buf *document, struct buf *out)
{
	support_shell(out, document,
	    "{ xmllint --c14n - | perl -0pe 's{\\s*<setting (?=[^>]*\\bid=\"(?:" OUR_IDS
	    ")\")[^>]*></setting>}{}g'; }");
	assert_true(out->len > strlen("<config"));
}

/* The value of an XPath expression, xmllint's opinion. */
static void
assert_xpath(const struct buf *document, const char *expression, const char *expected)
{
	struct buf out = BUF_INIT(1 << 16);

	support_shell(&out, document, "xmllint --nonet --xpath '%s' -", expression);
	while (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

static void
assert_offered(const struct buf *document)
{
	assert_xpath(document, "count(/*/*[@id=\"network_default_enable_openvpn\"])", "1");
	assert_xpath(document, "count(/*/*[@id=\"openvpn_inline_config\"])", "1");
	assert_xpath(document, "count(/*/*[@id=\"openvpn_logging\"])", "1");
	assert_xpath(document, "string(/*/*[@id=\"network_default_enable_openvpn\"]/@value)", "1");
	assert_xpath(document, "string(/*/*[@id=\"openvpn_inline_config\"]/@value)", "1");
	assert_xpath(document, "string(/*/*[@id=\"openvpn_inline_config\"]/@url)", URL);
	assert_xpath(document, "string(/*/*[@id=\"openvpn_inline_config\"]/@md5)", MD5);
	assert_xpath(document, "string(/*/*[@id=\"openvpn_logging\"]/@value)", "0");
	assert_xpath(document,
	    "count(/*/*[@id=\"openvpn_logging\" and name()=\"setting\" and namespace-uri()=namespace-uri(/*)])", "1");
}

/* An admin would lose what else stands in the phone's document, in any encoding and form. */
static void
test_merge_keeps_the_rest(void **state)
{
	struct dirent *entry;
	unsigned int merged = 0;
	DIR *dir = opendir(DATA "/good");

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		struct buf before = BUF_INIT(XML_MAX), after = BUF_INIT(XML_MAX), again = BUF_INIT(XML_MAX);
		struct buf rest_before = BUF_INIT(XML_MAX), rest_after = BUF_INIT(XML_MAX);
		struct err e = ERR_INIT;
		char name[300];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "good/%s", entry->d_name);
		data_read(name, &before);
		assert_ok(xml_merge(before.data, before.len, name, &offer, &after, &e), e);
		canonical_rest(&before, &rest_before);
		canonical_rest(&after, &rest_after);
		if (strcmp(buf_string(&rest_before), buf_string(&rest_after)) != 0)
			print_error("%s\n", name);
		assert_string_equal(buf_string(&rest_before), buf_string(&rest_after));
		assert_offered(&after);
		/* A second time changes nothing. */
		assert_ok(xml_merge(after.data, after.len, name, &offer, &again, &e), e);
		assert_int_equal(again.len, after.len);
		assert_memory_equal(again.data, after.data, after.len);
		buf_release(&before);
		buf_release(&after);
		buf_release(&again);
		buf_release(&rest_before);
		buf_release(&rest_after);
		merged++;
	}
	(void)closedir(dir);
	assert_in_range(merged, 10, 100);
}

static void
merge_file(const char *name, const struct xml_vpn *vpn, struct buf *out)
{
	struct buf before = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	data_read(name, &before);
	assert_ok(xml_merge(before.data, before.len, name, vpn, out, &e), e);
	buf_release(&before);
}

static void
assert_starts(const char *name, const char *start)
{
	struct buf out = BUF_INIT(XML_MAX);

	merge_file(name, &offer, &out);
	if (strncmp(buf_string(&out), start, strlen(start)) != 0)
		print_error("%s: %.80s\n", name, buf_string(&out));
	assert_memory_equal(out.data, start, strlen(start));
	buf_release(&out);
}

/* A phone that reads only the encoding, or the declaration, that the admin chose would refuse the document. */
static void
test_merge_keeps_declaration(void **state)
{
	struct buf out = BUF_INIT(XML_MAX);

	(void)state;
	assert_starts("good/utf8.cfg", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?xml-stylesheet ");
	assert_starts("good/crlf.cfg", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?xml-stylesheet ");
	assert_starts("good/latin1.cfg", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n");
	assert_starts("good/us-ascii.cfg", "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>\n");
	assert_starts("good/declaration-without-encoding.cfg", "<?xml version=\"1.0\"?>\n<?xml-stylesheet ");
	assert_starts("good/declaration-standalone.cfg",
	    "<?xml version=\"1.0\" standalone=\"yes\"?>\n<?xml-stylesheet ");
	assert_starts("good/no-declaration.cfg", "<?xml-stylesheet ");
	assert_starts("good/one-line.cfg", "<config><setting ");
	assert_starts("good/utf16.cfg", "\xff\xfe<\0?\0x\0m\0l\0");
	merge_file("good/latin1.cfg", &offer, &out);
	assert_non_null(strstr(buf_string(&out), "\"Caf\xe9 \xfc\""));
	buf_clear(&out);
	merge_file("good/no-declaration.cfg", &offer, &out);
	assert_non_null(strstr(buf_string(&out), "\"Caf\xc3\xa9 \xc3\xbc\""));
	assert_non_null(strstr(buf_string(&out), "<![CDATA[ <not> & markup ]]>"));
	buf_release(&out);
}

/* A phone would see a setting twice, or at a place where the admin did not put it. */
static void
test_merge_places(void **state)
{
	static const char twice[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				    "<config>\n"
				    "\t<setting id=\"openvpn_logging\" value=\"0\"/>\n"
				    "\t<setting id=\"a\" value=\"1\"/>\n"
				    "\t<setting value=\"1\" id=\"openvpn_inline_config\" md5=\"" MD5 "\" url=\"" URL
				    "\"/>\n"
				    "\t<!-- between -->\n"
				    "\t<setting id=\"b\" value=\"1\"/>\n"
				    "\t<setting id=\"network_default_enable_openvpn\" value=\"1\"/>\n"
				    "\t<accounts/>\n"
				    "</config>\n";
	static const char indented[] = "<?xml version=\"1.0\"?>\n"
				       "<config>\n"
				       "    <setting id=\"network_default_enable_openvpn\" value=\"1\"/>\n"
				       "    <setting id=\"openvpn_inline_config\" url=\"" URL
				       "\" value=\"1\" md5=\"" MD5 "\"/>\n"
				       "    <setting id=\"openvpn_logging\" value=\"0\"/>\n\n"
				       "    <!-- c -->\n"
				       "    <accounts/>\n"
				       "</config>\n";
	static const char line[] =
	    "<config>"
	    "<setting id=\"a\" value=\"1\"/><setting id=\"network_default_enable_openvpn\" value=\"1\"/>"
	    "<setting id=\"openvpn_inline_config\" url=\"" URL "\" value=\"1\" md5=\"" MD5 "\"/>"
	    "<setting id=\"openvpn_logging\" value=\"0\"/><accounts/></config>\n";
	struct buf out = BUF_INIT(XML_MAX);

	(void)state;
	merge_file("good/settings-present-twice.cfg", &offer, &out);
	assert_string_equal(buf_string(&out), twice);
	buf_clear(&out);
	merge_file("good/no-settings.cfg", &offer, &out);
	assert_non_null(strstr(buf_string(&out), strchr(indented, '\n') + strlen("\n<config>\n")));
	buf_clear(&out);
	merge_file("good/one-line.cfg", &offer, &out);
	assert_string_equal(buf_string(&out), line);
	buf_release(&out);
}

/* A phone that shall leave the VPN would stay on it, or the admin's own settings would be overruled. */
static void
test_merge_modes(void **state)
{
	const struct xml_vpn off = { .mode = XML_VPN_OFF }, untouched = { .mode = XML_VPN_UNTOUCHED };
	struct xml_vpn stored = offer;
	struct buf before = BUF_INIT(XML_MAX), out = BUF_INIT(XML_MAX);

	(void)state;
	merge_file("good/settings-present-twice.cfg", &off, &out);
	assert_xpath(&out, "string(/*/*[@id=\"network_default_enable_openvpn\"]/@value)", "0");
	assert_xpath(&out, "count(/*/*[@id=\"network_default_enable_openvpn\"])", "1");
	assert_xpath(&out, "count(/*/*[@id=\"openvpn_inline_config\"])", "0");
	buf_clear(&out);
	merge_file("good/empty-config.cfg", &off, &out);
	assert_xpath(&out, "string(/*/*[@id=\"network_default_enable_openvpn\"]/@value)", "0");
	assert_xpath(&out, "count(/*/*)", "1");
	buf_clear(&out);
	merge_file("good/settings-present-twice.cfg", &untouched, &out);
	data_read("good/settings-present-twice.cfg", &before);
	assert_string_equal(buf_string(&out), buf_string(&before));
	buf_clear(&out);
	stored.enable = false;
	stored.logging = true;
	merge_file("good/utf8.cfg", &stored, &out);
	assert_xpath(&out, "string(/*/*[@id=\"network_default_enable_openvpn\"]/@value)", "0");
	assert_xpath(&out, "string(/*/*[@id=\"openvpn_logging\"]/@value)", "1");
	assert_xpath(&out, "string(/*/*[@id=\"openvpn_inline_config\"]/@url)", URL);
	assert_xpath(&out, "string(//locale/setting/@value)", "nested");
	buf_release(&before);
	buf_release(&out);
}

/* A password with such characters would break the phone's document. */
static void
test_merge_escapes(void **state)
{
	static const char url[] = "http://h/?a=1&b=\"2\"&amp;<c>'\xc3\xbc";
	struct xml_vpn vpn = offer;
	struct buf out = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	(void)state;
	vpn.url = url;
	merge_file("good/utf8.cfg", &vpn, &out);
	assert_xpath(&out, "string(/*/*[@id=\"openvpn_inline_config\"]/@url)", url);
	buf_clear(&out);
	merge_file("good/us-ascii.cfg", &vpn, &out);
	assert_xpath(&out, "string(/*/*[@id=\"openvpn_inline_config\"]/@url)", url);
	buf_clear(&out);
	vpn.url = "http://h/\n";
	assert_fails(xml_merge("<config/>", 9, "x", &vpn, &out, &e), e, ERR_INPUT, "control characters");
	vpn.url = "http://h/\xff";
	assert_fails(xml_merge("<config/>", 9, "x", &vpn, &out, &e), e, ERR_INPUT, "UTF-8");
	vpn = offer;
	vpn.md5 = "abc123";
	assert_fails(xml_merge("<config/>", 9, "x", &vpn, &out, &e), e, ERR_INPUT, "32 lower-case hex digits");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* A phone without a document of the admin's would get no account, or another one. */
static void
test_minimal(void **state)
{
	const struct xml_account account = { .extension = "100",
		.label = "R&D \"1\" <\xc3\xbc>",
		.secret = "a&b\"c'd<e>",
		.server = "192.0.2.1",
		.port = 5061,
		.transport = "tls" };
	struct buf out = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(xml_minimal(&offer, &account, &out, &e), e);
	assert_offered(&out);
	assert_memory_equal(out.data, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config>\n  <setting ", 59);
	assert_xpath(&out, "string(/config/accounts/account/@password)", account.secret);
	assert_xpath(&out, "string(/config/accounts/account/@line_label)", account.label);
	assert_xpath(&out,
	    "string(/config/accounts/account[@index=\"0\" and @status=\"1\" and @register=\"1\"]/@account_id)", "100");
	assert_xpath(&out, "string(//account/@username)", "100");
	assert_xpath(&out, "string(//account/@authname)", "100");
	assert_xpath(&out, "string(//account/host_primary[@port=\"5061\" and @transport=\"tls\"]/@server)",
	    "192.0.2.1");
	buf_release(&out);
}

/* The generic document would hold a secret, or an account would be half of one. */
static void
test_minimal_parts(void **state)
{
	const struct xml_vpn untouched = { .mode = XML_VPN_UNTOUCHED }, off = { .mode = XML_VPN_OFF };
	struct xml_account account = { .extension = "100", .server = "h", .port = 5060, .transport = "udp" };
	struct buf out = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(xml_minimal(&untouched, NULL, &out, &e), e);
	assert_string_equal(buf_string(&out), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config/>\n");
	buf_clear(&out);
	assert_ok(xml_minimal(&off, &account, &out, &e), e);
	assert_xpath(&out, "count(/config/setting)", "1");
	assert_xpath(&out, "string(/config/setting[@id=\"network_default_enable_openvpn\"]/@value)", "0");
	assert_xpath(&out, "count(//account/@password)", "0");
	assert_xpath(&out, "string(//account/@line_label)", "100");
	buf_clear(&out);
	account.secret = "top\1secret";
	assert_int_equal(xml_minimal(&off, &account, &out, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_null(strstr(e.text, "top"));
	account.secret = NULL;
	account.label = "a\nb";
	assert_fails(xml_minimal(&off, &account, &out, &e), e, ERR_INPUT, "label");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* A phone that enrolled keeps its login in config_server_url: any other there, and it would have none at the next boot. */
static void
test_config_url(void **state)
{
	const struct xml_vpn untouched = { .mode = XML_VPN_UNTOUCHED, .config_url = "https://u:p%26@pbx.example.com/" };
	const struct xml_vpn bad = { .mode = XML_VPN_UNTOUCHED, .config_url = "https://u:top\1@h/" };
	static const char own[] = "<config><setting id=\"config_server_url\" value=\"https://a/\" network_id=\"1\"/>"
				  "<setting id=\"openvpn_logging\" value=\"1\"/>"
				  "<setting id=\"config_server_url\" value=\"https://b/\"/></config>";
	struct xml_vpn both = offer;
	struct buf out = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	(void)state;
	both.config_url = untouched.config_url;
	assert_ok(xml_merge(own, strlen(own), "own", &untouched, &out, &e), e);
	assert_xpath(&out, "count(/config/setting[@id=\"config_server_url\"])", "1");
	assert_xpath(&out, "count(//@network_id)", "0");
	assert_xpath(&out, "string(/config/setting[@id=\"config_server_url\"]/@value)", untouched.config_url);
	assert_xpath(&out, "string(/config/setting[@id=\"openvpn_logging\"]/@value)", "1");
	buf_clear(&out);
	assert_ok(xml_merge(own, strlen(own), "own", &both, &out, &e), e);
	assert_offered(&out);
	assert_xpath(&out, "string(/config/setting[@id=\"config_server_url\"]/@value)", both.config_url);
	buf_clear(&out);
	assert_ok(xml_merge(own, strlen(own), "own", &offer, &out, &e), e);
	assert_xpath(&out, "count(/config/setting[@id=\"config_server_url\"])", "2");
	buf_clear(&out);
	assert_ok(xml_minimal(&both, NULL, &out, &e), e);
	assert_offered(&out);
	assert_xpath(&out, "string(/config/setting[@id=\"config_server_url\"]/@value)", both.config_url);
	buf_clear(&out);
	assert_fails(xml_minimal(&bad, NULL, &out, &e), e, ERR_INPUT, "configuration server");
	assert_null(strstr(e.text, "top"));
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_keeps_the_rest),
		cmocka_unit_test(test_merge_keeps_declaration),
		cmocka_unit_test(test_merge_places),
		cmocka_unit_test(test_merge_modes),
		cmocka_unit_test(test_merge_escapes),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_minimal_parts),
		cmocka_unit_test(test_config_url),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
