/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/xml.h"
#include "provisioner/xml_read.h"

#include <string.h>

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"

static void
read_text(const char *xml, struct xml_said *ret)
{
	struct err e = ERR_INIT;

	assert_ok(xml_read(xml, strlen(xml), "test", ret, &e), e);
}

/* What is served would be held against something else than the phone reads. */
static void
test_read(void **state)
{
	struct xml_said s;
	struct err e = ERR_INIT;

	(void)state;
	read_text("<config><setting id='network_default_enable_openvpn' value='1'/>"
		  "<setting id='openvpn_inline_config' url='http://u:a%2Fb&amp;@h/x' value='0' md5='" MD5 "'/>"
		  "<setting id='openvpn_logging'/><locale><setting id='openvpn_logging' value='1'/></locale></config>",
	    &s);
	assert_string_equal(s.enable, "1");
	assert_string_equal(s.url, "http://u:a%2Fb&@h/x");
	assert_string_equal(s.use, "0");
	assert_string_equal(s.md5, MD5);
	assert_null(s.logging);
	xml_said_release(&s);
	/* Of two the last, also where it says less. */
	read_text("<config><setting id='openvpn_inline_config' url='x' value='1' md5='y'/>"
		  "<setting id='openvpn_inline_config' url='z'/></config>",
	    &s);
	assert_string_equal(s.url, "z");
	assert_null(s.md5);
	assert_null(s.use);
	xml_said_release(&s);
	read_text("<config/>", &s);
	assert_null(s.enable);
	xml_said_release(&s);
	assert_fails(xml_read("<html/>", 7, "test", &s, &e), e, ERR_INPUT, "<config>");
	xml_said_release(&s);
}

static int
secret_in(const char *xml, char where[XML_SECRET_SIZE])
{
	return xml_find_secret(xml, strlen(xml), "test", where, NULL);
}

/* A password would lie open in the file that any phone may read. */
static void
test_secret(void **state)
{
	struct buf generic = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;
	char where[XML_SECRET_SIZE];

	(void)state;
	assert_ok(xml_generic(&generic, &e), e);
	assert_int_equal(xml_find_secret(generic.data, generic.len, "test", where, &e), 0);
	buf_release(&generic);
	assert_int_equal(secret_in("<config><setting id='ntp_server' value='ntp.example.com'/></config>", where), 0);
	assert_int_equal(secret_in("<config><setting id='x' url='http://h:80/a@b'/></config>", where), 0);
	assert_int_equal(secret_in("<config><setting id='x' url='http://u@h/'/></config>", where), 0);
	assert_int_equal(secret_in("<config><setting id='login_password' value=''/></config>", where), 0);
	assert_int_equal(secret_in("<config><setting id='login_password' value='4711'/></config>", where), 1);
	assert_string_equal(where, "login_password");
	assert_int_equal(secret_in("<config><setting id='logo' url='http://u:p@h/'/></config>", where), 1);
	assert_string_equal(where, "logo");
	assert_int_equal(secret_in("<config><accounts><account password='p'/></accounts></config>", where), 1);
	assert_string_equal(where, "account");
	assert_int_equal(secret_in("no XML", where), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_secret),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
