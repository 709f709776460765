/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CIDR_H
#define COMMON_CIDR_H

#include <stdbool.h>
#include <stdint.h>

/* An IPv4 network, in host byte order; mask 0 for none. */
struct cidr {
	uint32_t address;	/* as it was written, maybe with bits of a host */
	uint32_t mask;
};

/* "10.8.0.0/16" (RFC 4632 section 3.1) with a prefix from 1 to 32; false for anything else. */
bool cidr_scan(const char *s, struct cidr *ret);

/* The address, in host byte order, is inside; never inside none. */
bool cidr_has(const struct cidr *n, uint32_t address);

/* Bits of the network. */
unsigned int cidr_prefix(const struct cidr *n);

#endif
