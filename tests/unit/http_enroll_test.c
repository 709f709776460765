/* SPDX-License-Identifier: ISC */
#include "tests/unit/http_support.h"

#include <stdatomic.h>

/* The first fetch of a phone that has no login: who is asked, and what a stranger sees. */

#define MAC_LATER "000fd3000003"
#define XML_ENROLLED "<config><!-- enrolled --></config>\n"

static atomic_int asked, logged_in;

static int
enroll(void *view, const char *mac, const char *address, struct buf *out, struct err *e)
{
	(void)view;
	atomic_fetch_add(&asked, 1);
	assert_string_equal(address, "127.0.0.1");
	if (strcmp(mac, MAC_LATER) == 0)
		return err_set(e, ERR_CONFLICT, "somebody else writes");
	if (strcmp(mac, MAC_BROKEN) == 0)
		return err_set(e, ERR_FAILED, "the store is on fire");
	if (strcmp(mac, MAC_A) != 0)
		return err_set(e, ERR_NOT_FOUND, "may not");
	buf_add_string(out, XML_ENROLLED);
	return 0;
}

static void
login(void *view, const char *mac)
{
	(void)view;
	assert_string_equal(mac, MAC_A);
	atomic_fetch_add(&logged_in, 1);
}

static struct http_server *
start_enrolling(enum http_auth auth)
{
	struct http_config config = config_of(auth);

	config.source.enroll = enroll;
	config.source.login = login;
	atomic_store(&asked, 0);
	atomic_store(&logged_in, 0);
	return start(&config);
}

static void
phone_enrolls(enum http_auth auth, const char *wrong)
{
	struct http_server *s = start_enrolling(auth);
	struct buf answer = BUF_INIT(1 << 16);

	assert_body(s, "", "/" MAC_A ".cfg", XML_ENROLLED);
	curl(&answer, "-i", s, "/" MAC_A ".cfg");
	assert_header(&answer, "Cache-Control: no-store", true);
	curl(&answer, "-i", s, "/" MAC_LATER ".cfg");
	assert_header(&answer, "HTTP/1.1 503", true);
	assert_header(&answer, "Retry-After: ", true);
	assert_header(&answer, "WWW-Authenticate", false);
	curl(&answer, "-i", s, "/" MAC_B ".cfg");
	assert_header(&answer, "HTTP/1.1 401", true);
	assert_header(&answer, "WWW-Authenticate", true);
	assert_status(s, "", "/" MAC_BROKEN ".cfg", "500");
	assert_int_equal(atomic_load(&asked), 5);

	/* None of these is the first fetch of a phone that knows nothing. */
	assert_status(s, "-I", "/" MAC_A ".cfg", "401");
	assert_status(s, "", BUNDLE_A, "401");
	assert_status(s, wrong, "/" MAC_A ".cfg", "401");
	assert_status(s, "-d x", "/" MAC_A ".cfg", "405");
	assert_status(s, "", "/000000000000.cfg", "200");
	assert_int_equal(atomic_load(&asked), 5);
	assert_int_equal(atomic_load(&logged_in), 0);
	http_stop(s);
	buf_release(&answer);
}

static void
phone_enrolls_with_digest(void **state)
{
	(void)state;
	phone_enrolls(HTTP_AUTH_DIGEST, "--basic -u " MAC_A ":wrong");
}

static void
phone_enrolls_with_basic(void **state)
{
	(void)state;
	phone_enrolls(HTTP_AUTH_BASIC, "--basic -u " MAC_A ":wrong");
}

/* A login tells that the phone is provisioned; a wrong one, or another's, tells nothing. */
static void
login_is_told(void **state)
{
	struct http_server *s = start_enrolling(HTTP_AUTH_BASIC);

	(void)state;
	assert_status(s, "--basic -u " MAC_B ":b", "/" MAC_A ".cfg", "404");
	assert_status(s, "--basic -u " MAC_A ":b", "/" MAC_A ".cfg", "401");
	assert_int_equal(atomic_load(&logged_in), 0);
	assert_body(s, "--basic " CURL_A, BUNDLE_A, BODY_A);
	assert_int_equal(atomic_load(&logged_in), 1);
	assert_body(s, "--basic " CURL_A, "/" MAC_A ".cfg", XML_A);
	assert_int_equal(atomic_load(&logged_in), 2);
	assert_int_equal(atomic_load(&asked), 0);
	http_stop(s);
}

static void
nobody_enrolls_where_no_login_is_asked_for(void **state)
{
	struct http_server *s = start_enrolling(HTTP_AUTH_NONE);

	(void)state;
	assert_body(s, "", "/" MAC_A ".cfg", XML_A);
	assert_int_equal(atomic_load(&asked), 0);
	assert_int_equal(atomic_load(&logged_in), 0);
	http_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phone_enrolls_with_digest),
		cmocka_unit_test(phone_enrolls_with_basic),
		cmocka_unit_test(login_is_told),
		cmocka_unit_test(nobody_enrolls_where_no_login_is_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
