/* SPDX-License-Identifier: ISC */
#include "phone/fleet_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fleet_list l = FLEET_LIST_INIT;
	struct err e = ERR_INIT;

	(void)fleet_csv_parse(data, size, &l, &e);
	fleet_list_release(&l);
	return 0;
}
