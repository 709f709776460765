/* SPDX-License-Identifier: ISC */
#include "cli/fleet_csv.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)fleet_parse(data, size, &f, &e);
	fleet_release(&f);
	return 0;
}
