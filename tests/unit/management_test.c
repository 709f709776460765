/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "common/text.h"
#include "rollout/management.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an OpenVPN server says of its clients is read as it is meant, and nothing else makes a client of it. */

/* What a real OpenVPN 2.6.14 said of a client that came twice, and its list at the end. */
#define TRANSCRIPT "tests/data/management-2.6.txt"

static void
event_append(void *arg, enum management_event event, const struct management_client *c)
{
	static const char *const names[] = { "hello", "began", "ended", "listed", "list end", "killed", "not killed",
		"password", "admission", "hold" };
	char serial[2 * MANAGEMENT_SERIAL_SIZE + 1], digest[2 * MANAGEMENT_DIGEST_SIZE + 1];

	buf_add_string(arg, names[event]);
	if (c != NULL)
		buf_addf(arg, " %llu@%lld %s %s", (unsigned long long)c->id, (long long)c->since, c->name, c->address);
	if (c != NULL && c->has_certificate) {
		text_hex(c->serial, sizeof(c->serial), serial);
		text_hex(c->digest, sizeof(c->digest), digest);
		buf_addf(arg, " %s %.8s", serial, digest);
	}
	buf_add_string(arg, "\n");
}

static void
feed(struct management_reader *r, struct buf *events, const char *text)
{
	management_read(r, text, strlen(text), event_append, events);
}

#define assert_told(text, expected) assert_told_at(text, expected, __FILE__, __LINE__)

static void
assert_told_at(const char *text, const char *expected, const char *file, int line)
{
	struct management_reader r = { .len = 0 };
	struct buf events = BUF_INIT(65536);

	feed(&r, &events, text);
	if (strcmp(buf_string(&events), expected) != 0)
		print_error("expected \"%s\", found \"%s\"\n", expected, buf_string(&events));
	_assert_int_equal(strcmp(buf_string(&events), expected), 0, file, line);
	buf_release(&events);
}

/* The values are those that stand in the file. */
static const char transcript_events[] =
    "hello\nlist end\n"
    "began 0@1795614504 000fd3006501 198.18.1.2:46528 5a06726f1231b66d7e0abfc65bb5abd928a8b2e1 237fae0d\n"
    "began 1@1795614506 000fd3006501 198.18.1.2:58545 5a06726f1231b66d7e0abfc65bb5abd928a8b2e1 237fae0d\n"
    "listed 1@1795614506 000fd3006501 198.18.1.2:58545\n"
    "list end\n";

static void
real_server_is_understood(void **state)
{
	struct buf text = BUF_INIT(65536), events = BUF_INIT(65536);
	struct management_reader r = { .len = 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(TRANSCRIPT, &text, &e), e);
	management_read(&r, text.data, text.len, event_append, &events);
	assert_string_equal(buf_string(&events), transcript_events);
	/* And in the smallest pieces. */
	buf_clear(&events);
	r = (struct management_reader){ .len = 0 };
	for (size_t i = 0; i < text.len; i++)
		management_read(&r, &text.data[i], 1, event_append, &events);
	assert_string_equal(buf_string(&events), transcript_events);
	buf_release(&events);
	buf_release(&text);
}

#define SESSION ">CLIENT:ENV,common_name=a\n>CLIENT:ENV,time_unix=7\n"
#define SERIAL ">CLIENT:ENV,tls_serial_hex_0=10:1c\n"
#define DIGEST                                                                                                     \
	">CLIENT:ENV,tls_digest_sha256_0=01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:" \
	"19:1a:1b:1c:1d:1e:1f:20\n"
#define END ">CLIENT:ENV,END\n"
#define SHOWN "000000000000000000000000000000000000101c 01020304\n"

static void
short_serial_has_zeros_in_front(void **state)
{
	(void)state;
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION SERIAL DIGEST END, "began 3@7 a  " SHOWN);
	assert_told(">CLIENT:DISCONNECT,3\r\n" SESSION END, "ended 3@7 a \n");
}

static void
end_that_was_asked_for_is_answered(void **state)
{
	(void)state;
	assert_told("SUCCESS: client-kill command succeeded\r\nERROR: client-kill command failed\r\n",
	    "killed\nnot killed\n");
	assert_told("SUCCESS: pid=7\r\n>CLIENT:ENV,SUCCESS: client-kill command succeeded\r\n", "");
}

static void
address_may_be_of_ipv6(void **state)
{
	(void)state;
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION
		    ">CLIENT:ENV,trusted_ip6=2001:db8::7\n>CLIENT:ENV,trusted_port=1194\n" END,
	    "began 3@7 a [2001:db8::7]:1194\n");
}

/* A session without name or time is none; one without its certificate proves no certificate. */
static void
what_is_missing_is_not_made_up(void **state)
{
	(void)state;
	assert_told(">CLIENT:ESTABLISHED,3\n>CLIENT:ENV,common_name=a\n" END, "");
	assert_told(">CLIENT:ESTABLISHED,3\n>CLIENT:ENV,time_unix=7\n" SERIAL DIGEST END, "");
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION SERIAL END, "began 3@7 a \n");
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION DIGEST END, "began 3@7 a \n");
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION SERIAL DIGEST, "");
	assert_told(SESSION SERIAL DIGEST END, "");
	assert_told(">CLIENT:ESTABLISHED,-3\n" SESSION SERIAL DIGEST END, "");
}

static void
broken_values_prove_nothing(void **state)
{
	static const char *const serials[] = { "", "1", "101c", "10:1c:", "10-1c", "g0:1c", "10::1c",
		"01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    ">CLIENT:ESTABLISHED,3\n" SESSION ">CLIENT:ENV,tls_serial_hex_0=%s\n" DIGEST END, serials[i]);
		assert_told(text, "began 3@7 a \n");
	}
	assert_told(">CLIENT:ESTABLISHED,3\n>CLIENT:ENV,common_name=a\n>CLIENT:ENV,time_unix=soon\n" END, "");
}

/* A second value might be the client's own wish. */
static void
value_told_twice_spoils_the_block(void **state)
{
	(void)state;
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION SERIAL DIGEST SERIAL END, "");
	assert_told(">CLIENT:ESTABLISHED,3\n" SESSION SERIAL DIGEST ">CLIENT:ENV,common_name=b\n" END, "");
}

static void
long_lines_are_passed_over(void **state)
{
	struct management_reader r = { .len = 0 };
	struct buf events = BUF_INIT(65536);
	char filler[1024];

	(void)state;
	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	feed(&r, &events, ">CLIENT:ESTABLISHED,3\n" SESSION SERIAL DIGEST ">CLIENT:ENV,IV_LONG=");
	for (int i = 0; i < 64; i++)
		feed(&r, &events, filler);
	feed(&r, &events, "\n" END);
	assert_string_equal(buf_string(&events), "began 3@7 a  " SHOWN);
	buf_release(&events);
}

#define LIST(name, address, since, id)                                                                             \
	"CLIENT_LIST\t" name "\t" address "\t10.8.0.2\t\t1\t2\t2026-11-25 13:48:26\t" since "\tUNDEF\t" id "\t1\t" \
	"AES-256-GCM\r\n"

static void
list_is_read_between_its_ends(void **state)
{
	(void)state;
	assert_told("TITLE\tOpenVPN\r\n" LIST("a", "192.0.2.1:5", "7", "3") "END\r\n",
	    "listed 3@7 a 192.0.2.1:5\nlist end\n");
	assert_told(LIST("a", "192.0.2.1:5", "7", "3") "END\r\n", "");
	assert_told("TITLE\tOpenVPN\r\n" LIST("UNDEF", "192.0.2.1:5", "7", "3") "END\r\n", "list end\n");
	assert_told("TITLE\tOpenVPN\r\nCLIENT_LIST\ta\tb\r\nEND\r\n", "list end\n");
	/* A client that comes while the list is told. */
	assert_told("TITLE\tOpenVPN\r\n>CLIENT:ESTABLISHED,4\n" SESSION END LIST("a", "192.0.2.1:5", "7",
			"3") "END\r\n",
	    "began 4@7 a \nlisted 3@7 a 192.0.2.1:5\nlist end\n");
}

static void
server_that_must_not_be_listened_to_shows(void **state)
{
	(void)state;
	assert_told("ENTER PASSWORD:", "password\n");
	assert_told(">CLIENT:CONNECT,0,1\n" SESSION SERIAL DIGEST END, "admission\n");
	assert_told(">CLIENT:REAUTH,0,1\n", "admission\n");
	assert_told(">HOLD:Waiting for hold release:0\r\n", "hold\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_server_is_understood),
		cmocka_unit_test(short_serial_has_zeros_in_front),
		cmocka_unit_test(end_that_was_asked_for_is_answered),
		cmocka_unit_test(address_may_be_of_ipv6),
		cmocka_unit_test(what_is_missing_is_not_made_up),
		cmocka_unit_test(broken_values_prove_nothing),
		cmocka_unit_test(value_told_twice_spoils_the_block),
		cmocka_unit_test(long_lines_are_passed_over),
		cmocka_unit_test(list_is_read_between_its_ends),
		cmocka_unit_test(server_that_must_not_be_listened_to_shows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
