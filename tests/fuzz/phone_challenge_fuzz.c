/* SPDX-License-Identifier: ISC */
#include "phone/fleet_nonce.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A server's WWW-Authenticate, answered. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *header = malloc(size + 1);
	struct buf out = BUF_INIT(8192);
	struct challenge c;

	if (header == NULL)
		return 0;
	if (size > 0)
		memcpy(header, data, size);
	header[size] = '\0';
	if (challenge_parse(header, &c)) {
		challenge_age(&c);
		(void)challenge_answer(&c, "user", "password", "GET", "/", "0a4f113b", &out, NULL);
	}
	buf_release(&out);
	free(header);
	return 0;
}
