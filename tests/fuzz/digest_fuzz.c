/* SPDX-License-Identifier: ISC */
#include "provisioner/digest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is a header's value. None may be taken for a login: the key is not known to it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct digest_server server = { .realm = "phones", .key = "not to be guessed" };
	struct buf user = BUF_INIT(256), password = BUF_INIT(256);
	struct digest_header taken;
	char *header = malloc(size + 1);
	struct digest_request r = { .method = "GET",
		.target = "/000fd3054848.cfg",
		.authorization = header,
		.client = "\x7f\0\0\1",
		.client_len = 4,
		.now = 1795470279 };
	enum digest_result checked;

	if (header == NULL)
		return 0;
	memcpy(header, data, size);
	header[size] = '\0';
	if (digest_take(&r, &taken) == DIGEST_OK) {
		if (strlen(taken.username) > size)
			abort();
		checked = digest_check(&server, &r, &taken, "secret");
		if (checked != DIGEST_WRONG)
			abort();
	}
	if (basic_parse(header, &user, &password) == DIGEST_OK && strlen(buf_string(&password)) != password.len)
		abort();
	buf_release(&user);
	buf_release(&password);
	free(header);
	return 0;
}
