/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define REQUEST "GET / HTTP/1.1\r\n"
#define BYTES(s) (s), sizeof(s) - 1

/* "ADDRESS PORT", "local", or what is wrong. */
static const char *
client_of(const void *data, size_t len, char out[80])
{
	static const char *const states[] = { "whole", "partial", "broken" };
	char address[INET6_ADDRSTRLEN];
	struct proxy_header h = { .len = 0 };
	enum proxy_header_state state = proxy_header_parse(data, len, &h);

	if (state != PROXY_HEADER_WHOLE) {
		(void)snprintf(out, 80, "%s", states[state]);
	} else if (!h.relayed) {
		(void)snprintf(out, 80, "local");
	} else {
		assert_int_equal(h.client.sin6_family, AF_INET6);
		assert_non_null(inet_ntop(AF_INET6, &h.client.sin6_addr, address, sizeof(address)));
		(void)snprintf(out, 80, "%s %u", address, ntohs(h.client.sin6_port));
	}
	return out;
}

/* The header and a request behind it: each beginning of it is partial, and the request is left to the server. */
static void
assert_whole(const char *data, size_t len, const char *client)
{
	unsigned char all[4096 + sizeof(REQUEST)];
	struct proxy_header h;
	char out[80];

	memcpy(all, data, len);
	memcpy(all + len, BYTES(REQUEST));
	for (size_t i = 0; i < len; i++)
		assert_string_equal(client_of(all, i, out), "partial");
	assert_string_equal(client_of(all, len, out), client);
	assert_string_equal(client_of(all, len + sizeof(REQUEST) - 1, out), client);
	assert_int_equal(proxy_header_parse(all, len + 3, &h), PROXY_HEADER_WHOLE);
	assert_int_equal(h.len, len);
}

/* Every phone behind the proxy would have the proxy's address, or get nothing. The examples are the specification's. */
static void
test_line(void **state)
{
	(void)state;
	assert_whole(BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), "::ffff:192.168.0.1 56324");
	assert_whole(BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	    "::ffff:255.255.255.255 65535");
	assert_whole(BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
			   "65535 65535\r\n"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535");
	assert_whole(BYTES("PROXY TCP6 ::1 2001:DB8::2 0 443\r\n"), "::1 0");
	assert_whole(BYTES("PROXY UNKNOWN\r\n"), "local");
	assert_whole(BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
			   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "local");
}

static void
test_bytes(void **state)
{
	static const char v4[] = "\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb";
	static const char v6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
				 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb";
	char data[4096];

	(void)state;
	memcpy(data, BYTES(SIGNATURE "\x21\x11\x00\x0c"));
	memcpy(data + 16, BYTES(v4));
	assert_whole(data, 28, "::ffff:192.0.2.1 56324");
	memcpy(data, BYTES(SIGNATURE "\x21\x21\x00\x24"));
	memcpy(data + 16, BYTES(v6));
	assert_whole(data, 52, "2001:db8::1 56324");
	/* What stands behind the addresses is passed over, up to what fits. */
	memset(data + 52, 'x', sizeof(data) - 52);
	memcpy(data, BYTES(SIGNATURE "\x21\x21\x0f\xf0"));
	assert_whole(data, 4096, "2001:db8::1 56324");
	assert_whole(BYTES(SIGNATURE "\x20\x00\x00\x00"), "local");
	assert_whole(BYTES(SIGNATURE "\x20\x11\x00\x03xyz"), "local"); /* its family is not looked at */
	assert_whole(BYTES(SIGNATURE "\x21\x00\x00\x00"), "local");
	assert_whole(BYTES(SIGNATURE "\x21\x12\x00\x0c"
				     "abcdefghijkl"),
	    "local"); /* UDP: nothing that a phone is */
}

/* Bytes that only look like a header would give a client an address of its choice, or hang the connection. */
static void
test_broken(void **state)
{
	static const char *const lines[] = { "GET / HTTP/1.1\r\n", "\x16\x03\x01", "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXYTCP4", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n", "PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n",
		"PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
		"PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY UNKNOWNS\r\n", "PROXY \r\n", "\r\nGET", "\r\n\r\nGET" };
	char data[200], out[80];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(client_of(lines[i], strlen(lines[i]), out), "broken");
	assert_string_equal(client_of(BYTES("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 1\r\n"), out), "broken");
	/* Without its end after 107 bytes. */
	memset(data, 'x', sizeof(data));
	memcpy(data, BYTES("PROXY UNKNOWN "));
	assert_string_equal(client_of(data, 106, out), "partial");
	assert_string_equal(client_of(data, 107, out), "broken");
	data[106] = '\r';
	data[107] = '\n';
	assert_string_equal(client_of(data, 108, out), "broken");
	assert_string_equal(client_of(BYTES(SIGNATURE "\x11\x11\x00\x00"), out), "broken"); /* version */
	assert_string_equal(client_of(BYTES(SIGNATURE "\x22\x11\x00\x00"), out), "broken"); /* command */
	assert_string_equal(client_of(BYTES(SIGNATURE "\x21\x41\x00\x00"), out), "broken"); /* family */
	assert_string_equal(client_of(BYTES(SIGNATURE "\x21\x13\x00\x00"), out), "broken"); /* protocol */
	assert_string_equal(client_of(BYTES(SIGNATURE "\x21\x11\x00\x0b"
						      "abcdefghijk"),
				out),
	    "broken");
	assert_string_equal(client_of(BYTES(SIGNATURE "\x21\x11\x0f\xf1"), out), "broken"); /* longer than is taken */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_broken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
