/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/route.h"

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define MAC "000fd3054848"

static void
assert_route(const char *base, const char *path, enum route_kind kind, const char *mac, const char *md5)
{
	struct route r = route_find(base, path);

	if (r.kind != kind)
		print_error("\"%s\" \"%s\"\n", base, path);
	assert_int_equal(r.kind, kind);
	assert_string_equal(r.mac, mac);
	assert_string_equal(r.md5, md5);
}

/* A phone would not get its settings or its bundle. */
static void
test_ours(void **state)
{
	(void)state;
	assert_route("", "/" MAC ".cfg", ROUTE_CONFIG, MAC, "");
	assert_route("/phones", "/phones/" MAC ".cfg", ROUTE_CONFIG, MAC, "");
	assert_route("", "/000000000000.cfg", ROUTE_GENERIC, "000000000000", "");
	assert_route("/a/b", "/a/b/000000000000.cfg", ROUTE_GENERIC, "000000000000", "");
	assert_route("", "/ovpn/" MD5 "/" MAC ".ovpn", ROUTE_BUNDLE, MAC, MD5);
	assert_route("/phones", "/phones/ovpn/" MD5 "/" MAC ".ovpn", ROUTE_BUNDLE, MAC, MD5);
}

/* Something that is not a phone's file would be answered, or looked up in the file system. */
static void
test_others(void **state)
{
	static const char *const paths[] = { "", "/", MAC ".cfg", "/" MAC, "/" MAC ".cf", "/" MAC ".cfg/",
		"/" MAC ".cfgx", "/" MAC ".ovpn", "/" MAC ".CFG", "//" MAC ".cfg", "/./" MAC ".cfg", "/../" MAC ".cfg",
		"/000FD3054848.cfg", "/000fd305484.cfg", "/000fd30548488.cfg", "/000fd305484g.cfg",
		"/00:0f:d3:05:48:48.cfg", "/" MAC ".cfg?x",
		"/%30"
		"00fd3054848.cfg",
		"/" MAC "%2ecfg", "/" MAC ".cfg\n", "/ovpn", "/ovpn/", "/ovpn/" MD5, "/ovpn/" MD5 "/",
		"/ovpn/" MD5 "/" MAC, "/ovpn/" MD5 "/" MAC ".cfg", "/ovpn/" MD5 "/" MAC ".ovpn/",
		"/ovpn/" MD5 "/../" MAC ".ovpn", "/ovpn/D41D8CD98F00B204E9800998ECF8427E/" MAC ".ovpn",
		"/ovpn/" MD5 "0/" MAC ".ovpn", "/ovpn//" MAC ".ovpn", "/ovpn/" MAC ".ovpn", "/ovpn/d41d/" MAC ".ovpn",
		"/ovpnx/" MD5 "/" MAC ".ovpn", "/ovpn/" MD5 "/000000000000.cfg", "/phones/" MAC ".cfg", "/etc/passwd" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_route("", paths[i], ROUTE_NONE, "", "");
	assert_route("/phones", "/" MAC ".cfg", ROUTE_NONE, "", "");
	assert_route("/phones", "/phones" MAC ".cfg", ROUTE_NONE, "", "");
	assert_route("/phones", "/phone/" MAC ".cfg", ROUTE_NONE, "", "");
	assert_route("/phones", "/phonesx/" MAC ".cfg", ROUTE_NONE, "", "");
	assert_route("/phones", "", ROUTE_NONE, "", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_others),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
