/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/junit.h"
#include "phone/screen.h"
#include "phone/verdict.h"

#include <stdio.h>
#include <string.h>

static void
status_of(struct phone *p, struct status *s, bool enabled, enum tunnel_state tunnel)
{
	struct err e = ERR_INIT;

	assert_ok(phone_in_memory("000fd3006501", "D65", "2_7_0", p, &e), e);
	*s = (struct status){ .phone = p };
	s->tunnel.state = tunnel;
	if (!enabled)
		return;
	s->menu = s->stored = true;
	s->check = tunnel == TUNNEL_CONNECTED;
	s->shield = s->check ? SHIELD_BLUE : SHIELD_RED;
	s->softkey = tunnel == TUNNEL_DOWN ? "Connect" : "Disconnect";
	if (tunnel == TUNNEL_CONNECTED)
		(void)snprintf(s->tunnel.address, sizeof(s->tunnel.address), "10.8.0.2");
}

static void
draw(struct phone *p, const struct status *s, struct screen_style style, struct buf *out)
{
	unsigned int lines = 0, feeds = 0;

	buf_clear(out);
	screen_draw(s, style, out, &lines);
	for (const char *at = buf_string(out); *at != '\0'; at++)
		feeds += *at == '\n';
	assert_int_equal(lines, feeds);
	phone_close(p);
}

static void
assert_shows(const struct buf *out, const char *text)
{
	if (strstr(buf_string(out), text) == NULL)
		fail_msg("expected \"%s\" on the screen, found\n%s", text, buf_string(out));
}

/* A person tells a phone that is on the VPN from one that is not, and finds the key to press. */
static void
test_pages(void **state)
{
	const struct screen_style plain = { .colour = false };
	struct buf out = BUF_INIT(16384);
	struct status s;
	struct phone p;

	(void)state;
	status_of(&p, &s, true, TUNNEL_CONNECTED);
	draw(&p, &s, plain, &out);
	assert_shows(&out, "VPN: blue shield");
	assert_shows(&out, "v Configuration file   loaded");
	assert_shows(&out, "VPN address          10.8.0.2");
	assert_shows(&out, "Status               Connected");
	assert_shows(&out, " Disconnect ");
	status_of(&p, &s, true, TUNNEL_DOWN);
	(void)snprintf(p.store.tunnel_failure, sizeof(p.store.tunnel_failure), "%s",
	    "a reason so long that it takes more than one line of the screen, and is broken at a blank between words");
	draw(&p, &s, plain, &out);
	assert_shows(&out, "VPN: red shield");
	assert_shows(&out, "x Configuration file");
	assert_shows(&out, "VPN address          none");
	assert_shows(&out, " Connect ");
	assert_shows(&out, "between words");
	status_of(&p, &s, false, TUNNEL_DOWN);
	draw(&p, &s, plain, &out);
	assert_shows(&out, "No VPN item: the VPN is disabled.");
	assert_null(strstr(buf_string(&out), "shield"));
	buf_release(&out);
}

/* Each line of a screen is as wide as the next one, whatever stands on it: measured by awk in a UTF-8 locale. */
static void
test_width(void **state)
{
	static const char address[] = "fd00:1234:5678:9abc:def0:1234:5678:9abc";
	struct buf out = BUF_INIT(16384), widths = BUF_INIT(64);
	struct status s;
	struct phone p;

	(void)state;
	for (int i = 0; i < 4; i++) {
		status_of(&p, &s, true, i % 2 == 0 ? TUNNEL_CONNECTING : TUNNEL_CONNECTED);
		(void)snprintf(s.tunnel.address, sizeof(s.tunnel.address), "%s", i < 2 ? address : "");
		(void)snprintf(s.tunnel.detail, sizeof(s.tunnel.detail), "%s",
		    "RECONNECTING: a detail of openvpn's that is long");
		draw(&p, &s, (struct screen_style){ .colour = i >= 2, .unicode = true }, &out);
		buf_clear(&widths);
		support_shell(&widths, &out,
		    "{ sed 's/\x1b\\[[0-9;]*m//g' | LC_ALL=C.UTF-8 perl -CS -lne 'print length' | sort -u | wc -l; }");
		assert_string_equal(buf_string(&widths), "1\n");
	}
	buf_release(&out);
	buf_release(&widths);
}

/* A CI server that cannot read the report, or reads a failure as a success, lets a broken configuration through. */
static void
test_junit(void **state)
{
	struct buf out = BUF_INIT(16384), found = BUF_INIT(256);
	struct report r;
	struct err e = ERR_INIT;

	(void)state;
	report_start(&r, REPORT_JSON, false);
	report_step(&r, "xml", STEP_DONE, NULL, "fetched <all> & \"more\"");
	(void)err_set(&e, ERR_INTEGRITY, "expected this, found <that>");
	report_failure(&r, "compare", VERDICT_MD5_MISMATCH, "Replacing", &e);
	report_finding(&r, "vpn", VERDICT_VPN_DISABLED, NULL, "disabled");
	assert_int_equal(r.verdict, VERDICT_MD5_MISMATCH);
	assert_string_equal(r.reason, "expected this, found <that>");
	assert_ok(junit_write(&r, "refphone.D65.000fd3006501", 1.5, &out, &e), e);
	support_shell(&found, &out,
	    "xmllint --xpath 'concat(//testsuite/@tests, \" \", //testsuite/@failures, \" \", //testsuite/@time, \" \", "
	    "count(//testcase), \" \", //failure[1]/@type, \" \", //failure[1]/@message, \" \", //system-out)' -");
	assert_string_equal(buf_string(&found),
	    "3 2 1.500 3 md5_mismatch expected this, found <that> fetched <all> & \"more\"\n");
	report_release(&r);
	buf_release(&out);
	buf_release(&found);
}

/* The exit status of verify is what scripts go by: no two classes share one, and none is one of every command's. */
static void
test_verdicts(void **state)
{
	(void)state;
	assert_int_equal(verdict_exit_status(VERDICT_OK), 0);
	assert_int_equal(verdict_exit_status(VERDICT_FAILED), 1);
	for (enum verdict v = VERDICT_FAILED + 1; v < VERDICT_COUNT; v++) {
		assert_int_equal(verdict_exit_status(v), 8 + (int)v);
		assert_non_null(verdict_text(v));
		for (enum verdict other = VERDICT_OK; other < v; other++)
			assert_string_not_equal(verdict_name(v), verdict_name(other));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_junit),
		cmocka_unit_test(test_verdicts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
