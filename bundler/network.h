/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_NETWORK_H
#define BUNDLER_NETWORK_H

#include "common/err.h"

#include <stdint.h>

#define NETWORK_ADDRESS_SIZE 16	/* "255.255.255.255" and NUL */

/*
 * The addresses inside the VPN. A host's number is what its address has behind the network's bits: 0 is the network, 1
 * the server, the last one broadcast. Phones have fixed ones from the lower part; the upper part is OpenVPN's pool, for
 * clients of whom the server has not been told yet. The two do not overlap: the pool would give a phone's address away.
 */
struct network {
	uint32_t address, mask;	/* host byte order */
	uint32_t phones_first, phones_last;	/* numbers, both ends included */
	uint32_t pool_first, pool_last;
};

/*
 * "10.8.0.0/16": an IPv4 network from /16 (OpenVPN refuses a larger one) to /29 without host bits, whose addresses hosts
 * may have. ERR_INPUT otherwise.
 */
int network_parse(const char *s, struct network *ret, struct err *e);

/* The address of a number of the network; returns out. */
const char *network_host(const struct network *n, uint32_t host, char out[NETWORK_ADDRESS_SIZE]);

const char *network_mask(const struct network *n, char out[NETWORK_ADDRESS_SIZE]);

/* A phone's address back to its number. ERR_INPUT when no phone can have it, with the reason. */
int network_parse_phone(const struct network *n, const char *s, uint32_t *ret_host, struct err *e);

#endif
