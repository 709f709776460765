/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "common/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 48

/* What 2.3.2 ends at, from runs of it: add_option() in options.c, and buffer.h for what a buffer may hold. */
static const struct {
	const char *name;
	size_t at;
	long from, to;
	const char *expected;
} ranges[] = {
	{ "bcast-buffers", 1, 1, INT_MAX, "1 or more" },
	{ "key-method", 1, 2, 2, "2" },
	{ "link-mtu", 1, 100, 999999, "100 to 999999 bytes" },
	{ "max-clients", 1, 0, INT_MAX, "0 or more" },
	{ "max-routes", 1, 0, 100000000, "0 to 100000000" },
	{ "prng", 2, 16, 64, "16 to 64 bytes" },
	{ "replay-window", 1, 0, 65536, "0 to 65536 packets" },
	{ "replay-window", 2, 0, 600, "0 to 600 seconds" },
	{ "shaper", 1, 100, 100000000, "100 to 100000000 bytes a second" },
	{ "tcp-queue-limit", 1, 1, INT_MAX, "1 or more" },
	{ "udp-mtu", 1, 100, 999999, "100 to 999999 bytes" },
};

static const struct {
	const char *name;
	size_t at;
	const char *words[3], *expected;
} lists[] = {
	{ "client-nat", 1, { "snat", "dnat" }, "snat or dnat" },
	{ "mtu-disc", 1, { "yes", "maybe", "no" }, "yes, maybe or no" },
	{ "socket-flags", 1, { "TCP_NODELAY" }, "TCP_NODELAY" },
	{ "tls-auth", 2, { "0", "1" }, "0 or 1" },
	{ "verify-x509-name", 2, { "subject", "name", "name-prefix" }, "subject, name or name-prefix" },
};

static void
range_found(const struct ovpn_check *ck, const struct config_line *line, size_t at, const char *expected)
{
	char shown[SHOWN];

	ovpn_found(ck, OVPN_VALUE, line->number, line->word[0], "expected %s, found \"%s\"", expected,
	    text_printable(line->word[at], shown, sizeof(shown)));
}

void
ovpn_range_check(const struct ovpn_check *ck, const struct config_line *line)
{
	for (size_t i = 0; i < COUNT(ranges); i++) {
		const char *word = config_word(line, ranges[i].at);
		long n = word != NULL ? strtol(word, NULL, 10) : 0;

		if (word != NULL && strcmp(ranges[i].name, line->word[0]) == 0 &&
		    (n < ranges[i].from || n > ranges[i].to))
			range_found(ck, line, ranges[i].at, ranges[i].expected);
	}
	for (size_t i = 0; i < COUNT(lists); i++) {
		const char *word = config_word(line, lists[i].at);
		size_t count = 0;

		while (count < COUNT(lists[i].words) && lists[i].words[count] != NULL)
			count++;
		if (word != NULL && strcmp(lists[i].name, line->word[0]) == 0 &&
		    !ovpn_listed(lists[i].words, count, word))
			range_found(ck, line, lists[i].at, lists[i].expected);
	}
}
