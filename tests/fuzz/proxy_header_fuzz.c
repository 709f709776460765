/* SPDX-License-Identifier: ISC */
#include "provisioner/proxy_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is what a connection begins with. More bytes behind a header that is whole or broken change nothing of it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header h = { .len = 0 }, again = { .len = 0 };
	enum proxy_header_state state = proxy_header_parse(data, size, &h);

	if (state == PROXY_HEADER_WHOLE && (h.len == 0 || h.len > size || h.len > PROXY_HEADER_MAX))
		abort();
	if (state == PROXY_HEADER_WHOLE && proxy_header_parse(data, h.len, &again) != PROXY_HEADER_WHOLE)
		abort();
	if (memcmp(&h.client, &again.client, sizeof(h.client)) != 0)
		abort();
	if (state == PROXY_HEADER_PARTIAL && size >= PROXY_HEADER_MAX)
		abort();
	for (size_t i = 0; i < size && i < 200; i++) {
		if (proxy_header_parse(data, i, &again) == PROXY_HEADER_BROKEN && state != PROXY_HEADER_BROKEN)
			abort();
	}
	return 0;
}
