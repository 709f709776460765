/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn.h"
#include "bundler/config.h"

#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1764000000 /* 2025-11-24T16:00:00Z */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the checks rely on without asking. */
static void
check_line(const struct config_line *line, unsigned int before)
{
	if (line->number <= before || line->words > CONFIG_WORDS_MAX ||
	    (line->words == 0 && line->fault == CONFIG_FINE))
		abort();
	for (size_t i = 0; i < line->words; i++)
		if (strlen(line->word[i]) > line->bytes + 1)
			abort();
	if (line->content != NULL &&
	    (line->words != 1 || line->content[line->content_len] != '\0' || line->longest > line->content_len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct check_ovpn_params params = { .clock = { .now = NOW, .days = 30 } };
	struct findings found = FINDINGS_INIT;
	struct err e = ERR_INIT;
	struct config c;

	if (config_read(data, size, &c, &e) == 0)
		for (size_t i = 0; i < c.count; i++)
			check_line(&c.line[i], i > 0 ? c.line[i - 1].number : 0);
	config_release(&c);
	if (check_ovpn("fuzz", data, size, &params, &found, &e) != 0 || ERR_peek_error() != 0)
		abort();
	/* Nothing of this is a bundle unless certificate and key are there. */
	if (found.worst < FINDING_ERROR && memmem(data, size, "PRIVATE KEY-----", 16) == NULL)
		abort();
	findings_release(&found);
	return 0;
}
