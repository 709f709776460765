/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "phone/settings.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/data/xml"

static int
read_text(const char *xml, struct settings *s, struct err *e)
{
	return settings_read(xml, strlen(xml), s, e);
}

/* The vendor page's own sample, section "Configuration Elements". */
static void
test_vendor_sample(void **state)
{
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_ok(
	    read_text("<config>\n<setting id=\"network_default_enable_openvpn\" value=\"1\" />\n"
		      "<setting id=\"openvpn_inline_config\" url=\"https://user:pass@server.example.com/client.ovpn\" "
		      "value=\"1\" md5=\"abc123\" />\n<setting id=\"openvpn_logging\" value=\"0\" />\n</config>",
		&s, &e),
	    e);
	assert_int_equal(s.enable.state, SETTING_GOOD);
	assert_true(s.enable.on);
	assert_int_equal(s.logging.state, SETTING_GOOD);
	assert_false(s.logging.on);
	assert_true(s.bundle.present && s.bundle.use.on);
	assert_string_equal(s.bundle.url.text, "https://user:pass@server.example.com/client.ovpn");
	assert_string_equal(s.bundle.md5.text, "abc123");
	assert_null(s.repeated);
	assert_ok(settings_check(&s, &e), e);
	settings_release(&s);
}

/* "disabled by default": nothing said is not the same as something wrong said, and both are off. */
static void
test_absent_and_invalid(void **state)
{
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_ok(read_text("<config/>", &s, &e), e);
	assert_int_equal(s.enable.state, SETTING_ABSENT);
	assert_false(s.enable.on || s.logging.on || s.bundle.present);
	assert_ok(settings_check(&s, &e), e);

	assert_ok(read_text("<config><setting id='network_default_enable_openvpn' value='yes'/></config>", &s, &e), e);
	assert_int_equal(s.enable.state, SETTING_INVALID);
	assert_false(s.enable.on);
	assert_fails(settings_check(&s, &e), e, ERR_INPUT, "network_default_enable_openvpn");

	assert_ok(read_text("<config><setting id='network_default_enable_openvpn'/></config>", &s, &e), e);
	assert_int_equal(s.enable.state, SETTING_ABSENT);

	assert_ok(read_text("<config><setting id='openvpn_inline_config' url='' md5='' value='01'/></config>", &s, &e),
	    e);
	assert_int_equal(s.bundle.use.state, SETTING_INVALID);
	assert_int_equal(s.bundle.url.state, SETTING_ABSENT);
	assert_int_equal(s.bundle.md5.state, SETTING_ABSENT);
}

/* Bounds: a URL or md5 that does not fit is invalid, never cut. */
static void
test_bounds(void **state)
{
	char *xml = malloc(SETTINGS_XML_MAX + 2), url[SETTINGS_URL_SIZE + 1], md5[SETTINGS_MD5_SIZE + 1];
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_non_null(xml);
	memset(url, 'u', sizeof(url));
	memset(md5, 'a', sizeof(md5));
	url[SETTINGS_URL_SIZE - 1] = md5[SETTINGS_MD5_SIZE - 1] = '\0';
	(void)snprintf(xml, SETTINGS_XML_MAX,
	    "<config><setting id='openvpn_inline_config' url='%s' md5='%s'/></config>", url, md5);
	assert_ok(read_text(xml, &s, &e), e);
	assert_int_equal(s.bundle.url.state, SETTING_GOOD);
	assert_int_equal(s.bundle.md5.state, SETTING_GOOD);
	(void)snprintf(xml, SETTINGS_XML_MAX,
	    "<config><setting id='openvpn_inline_config' url='%su' md5='%sa'/></config>", url, md5);
	assert_ok(read_text(xml, &s, &e), e);
	assert_int_equal(s.bundle.url.state, SETTING_INVALID);
	assert_int_equal(s.bundle.md5.state, SETTING_INVALID);
	assert_string_equal(s.bundle.url.text, "");
	assert_fails(settings_check(&s, &e), e, ERR_INPUT, "url");

	memset(xml, ' ', SETTINGS_XML_MAX + 1);
	memcpy(xml, "<config/>", strlen("<config/>"));
	assert_ok(settings_read(xml, SETTINGS_XML_MAX, &s, &e), e);
	assert_fails(settings_read(xml, SETTINGS_XML_MAX + 1, &s, &e), e, ERR_INPUT, "at most");
	assert_fails(settings_read(xml, 0, &s, &e), e, ERR_INPUT, "found nothing");
	free(xml);
}

/* A document as FreePBX and others write it: entities, other settings, settings inside of a locale. */
static void
test_document(void **state)
{
	static const char xml[] =
	    "<?xml version=\"1.0\" ?>\n<config>\n<!-- <setting id='network_default_enable_openvpn' value='0'/> -->\n"
	    "<locales><locale id='x'><setting id='network_default_enable_openvpn' value='0'/></locale></locales>\n"
	    "<setting value='1' id='network_default_enable_openvpn'/>\n<setting id='web_ui_enabled' value='1'/>\n"
	    "<setting md5='a&#98;c' url='http://u:p%40@h/?a=1&amp;b=2&#x26;c=&quot;' id='openvpn_inline_config' value='1'/>"
	    "<accounts><account index='0'/></accounts></config>";
	struct buf in = BUF_INIT(4096), seen = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_ok(read_text(xml, &s, &e), e);
	assert_true(s.enable.on);
	buf_add_string(&in, xml);
	support_shell(&seen, &in,
	    "xmllint --xpath 'concat(/config/setting[@id=\"openvpn_inline_config\"]/@url,\" \","
	    "/config/setting[@id=\"openvpn_inline_config\"]/@md5)' -");
	buf_clear(&in);
	buf_addf(&in, "%s %s\n", s.bundle.url.text, s.bundle.md5.text);
	assert_string_equal(buf_string(&in), buf_string(&seen));
	buf_release(&in);
	buf_release(&seen);
}

/* Twice the same setting: the phone takes one, and the admin is told. */
static void
test_repeated(void **state)
{
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_ok(read_text("<config><setting id='network_default_enable_openvpn' value='1'/>"
			    "<setting id='network_default_enable_openvpn' value='0'/></config>",
		      &s, &e),
	    e);
	assert_false(s.enable.on);
	assert_string_equal(s.repeated, "network_default_enable_openvpn");
}

/* Where the phone looks at its next boot. One for a certain network is not for this phone, as far as anybody knows. */
static void
test_config_url(void **state)
{
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_ok(read_text("<config/>", &s, &e), e);
	assert_int_equal(s.config.state, SETTING_ABSENT);
	assert_ok(read_text("<config><setting id='config_server_url' value='https://a:b@h/p/'/>"
			    "<setting id='config_server_url' value='https://other/' network_id='1'/></config>",
		      &s, &e),
	    e);
	assert_int_equal(s.config.state, SETTING_GOOD);
	assert_string_equal(s.config.text, "https://a:b@h/p/");
	assert_null(s.repeated);
	assert_ok(read_text("<config><setting id='config_server_url' value='h&#10;'/></config>", &s, &e), e);
	assert_int_equal(s.config.state, SETTING_INVALID);
	assert_fails(settings_check(&s, &e), e, ERR_INPUT, "config_server_url");
}

/* An entity must neither be fetched nor expanded: a file's content would leave, or memory would end. */
static void
test_doctype(void **state)
{
	static const char *const documents[] = {
		"<!DOCTYPE config><config/>",
		"<!DOCTYPE config SYSTEM 'file:///etc/passwd'><config/>",
		"<!DOCTYPE config [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><config><setting id='&a;'/></config>",
		"<!DOCTYPE config [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
		"<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]>"
		"<config><setting id='openvpn_inline_config' md5='&d;' url='&d;'/></config>",
	};
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		assert_fails(read_text(documents[i], &s, &e), e, ERR_INPUT, "DOCTYPE");
}

/* Not the phone's document: nothing of it is used, and the line is named. */
static void
test_not_config(void **state)
{
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	assert_fails(read_text("<html><body>404</body></html>", &s, &e), e, ERR_INPUT, "found <html>");
	assert_fails(read_text("<config>\n<setting id='a' value='1'>\n</config>", &s, &e), e, ERR_INPUT, "line 3");
	assert_fails(read_text("not XML", &s, &e), e, ERR_INPUT, "well-formed");
	assert_fails(read_text("<config><setting id='a' id='b'/></config>", &s, &e), e, ERR_INPUT, "well-formed");
	assert_fails(read_text("<config>&nothing;</config>", &s, &e), e, ERR_INPUT, "well-formed");
}

static int
read_file(const char *path, struct settings *s, struct err *e)
{
	struct buf xml = BUF_INIT(4 << 20);
	int rc;

	assert_ok(file_read(path, &xml, e), *e);
	rc = settings_read(xml.data, xml.len, s, e);
	buf_release(&xml);
	return rc;
}

/* What the server side may send, the phone reads. */
static void
test_good_documents(void **state)
{
	DIR *dir = opendir(DATA "/good");
	const struct dirent *entry;
	struct err e = ERR_INIT;
	struct settings s;
	size_t files = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char *path;

		if (strstr(entry->d_name, ".cfg") == NULL)
			continue;
		path = file_path(DATA "/good", entry->d_name, &e);
		if (read_file(path, &s, &e) != 0)
			fail_msg("%s: %s", path, e.text);
		free(path);
		files++;
	}
	(void)closedir(dir);
	assert_true(files > 10);
}

/* Documents that would hurt, or are none. */
static void
test_hostile_documents(void **state)
{
	static const char *const names[] = { "billion-laughs", "external-entity", "parameter-entity",
		"quadratic-blowup", "doctype-external-dtd", "utf16-with-doctype", "truncated", "html-error-page",
		"nested-300-deep", "nul-inside", "nul-and-more-behind-the-end", "root-has-a-prefix", "two-roots",
		"control-character", "latin1-declared-as-utf8", "unknown-encoding" };
	struct err e = ERR_INIT;
	struct settings s;
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), DATA "/%s.cfg", names[i]);
		if (read_file(path, &s, &e) == 0)
			fail_msg("%s: taken", path);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

/* Many attributes: libxml2 compares each with each, which must not hold a phone for long. */
static void
test_many_attributes(void **state)
{
	struct buf xml = BUF_INIT(SETTINGS_XML_MAX);
	struct err e = ERR_INIT;
	struct settings s;

	(void)state;
	buf_add_string(&xml, "<config><a");
	for (unsigned int i = 0; xml.len < SETTINGS_XML_MAX - 64; i++)
		buf_addf(&xml, " a%x=''", i);
	buf_add_string(&xml, "/></config>");
	assert_false(xml.broken);
	assert_fails(settings_read(xml.data, xml.len, &s, &e), e, ERR_INPUT, "found a longer one");
	buf_release(&xml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vendor_sample),
		cmocka_unit_test(test_absent_and_invalid),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_config_url),
		cmocka_unit_test(test_doctype),
		cmocka_unit_test(test_not_config),
		cmocka_unit_test(test_good_documents),
		cmocka_unit_test(test_hostile_documents),
		cmocka_unit_test(test_many_attributes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
