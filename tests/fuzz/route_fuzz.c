/* SPDX-License-Identifier: ISC */
#include "provisioner/route.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path that is taken for ours is, byte for byte, the one that its parts make. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = malloc(size + 1), again[128];
	struct route r;

	if (path == NULL)
		return 0;
	memcpy(path, data, size);
	path[size] = '\0';
	r = route_find("/phones", path);
	if (r.kind == ROUTE_BUNDLE)
		(void)snprintf(again, sizeof(again), "/phones/ovpn/%s/%s.ovpn", r.md5, r.mac);
	else
		(void)snprintf(again, sizeof(again), "/phones/%s.cfg", r.mac);
	if (r.kind != ROUTE_NONE && strcmp(path, again) != 0)
		abort();
	if (r.kind == ROUTE_GENERIC && strcmp(r.mac, "000000000000") != 0)
		abort();
	free(path);
	return 0;
}
