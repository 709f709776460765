/* SPDX-License-Identifier: ISC */
#include "phone/ovpn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken must be taken again: the effective lines are what the real openvpn gets to read. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct ovpn o, again;

	if (ovpn_read(data, size, model_find("D65"), &o, &e) != 0)
		return 0;
	if (o.effective.len <= OVPN_MAX) {
		if (ovpn_read(o.effective.data, o.effective.len, model_find("D65"), &again, &e) != 0)
			abort();
		if (again.effective.len != o.effective.len ||
		    memcmp(again.effective.data, o.effective.data, o.effective.len) != 0)
			abort();
		ovpn_release(&again);
	}
	ovpn_release(&o);
	return 0;
}
