/* SPDX-License-Identifier: ISC */
#include "phone/redact.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 41 /* 39, and the "//" of a URL */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever came in: no word that a key could hide in, and no block of one. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(64 + 16 * size);
	size_t word = 0;

	redact_log((const char *)data, size, &out);
	if (out.broken)
		abort();
	for (size_t i = 0; i < out.len; i++) {
		word = isalnum(out.data[i]) || (out.data[i] != '\0' && strchr("+/=-_", out.data[i]) != NULL) ? word + 1
		                                                                                             : 0;
		if (word > WORD_MAX)
			abort();
	}
	if (out.len > 0 && memmem(out.data, out.len, "-----BEGIN PRIVATE KEY", 22) != NULL)
		abort();
	buf_release(&out);
	return 0;
}
