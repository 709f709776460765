/* SPDX-License-Identifier: ISC */
#include "ca/easyrsa_index.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct easyrsa_index index = EASYRSA_INDEX_INIT;
	struct err e = ERR_INIT;

	(void)easyrsa_index_parse(data, size, &index, &e);
	easyrsa_index_release(&index);
	return 0;
}
