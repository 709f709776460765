/* SPDX-License-Identifier: ISC */
#include "bundler/network.h"

#include "common/cidr.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PREFIX_MIN 16 /* OpenVPN's server directive refuses more than 65,536 addresses */
#define PREFIX_MAX 29 /* and fewer than 8 */
#define POOL_MIN 2    /* OpenVPN's pool.c: "IPv4 pool size is too small" */
#define POOL_MAX 256

static void
network_divide(struct network *n)
{
	uint32_t size = ~n->mask + 1, pool = size / 16;

	if (pool < POOL_MIN)
		pool = POOL_MIN;
	if (pool > POOL_MAX)
		pool = POOL_MAX;
	n->pool_last = size - 2;
	n->pool_first = n->pool_last - pool + 1;
	n->phones_first = 2;
	n->phones_last = n->pool_first - 1;
}

/* This network, loopback and what is from 224.0.0.0 on is no network of hosts (RFC 6890, RFC 1112). */
static bool
network_scan(const char *s, struct network *n)
{
	struct cidr cidr;
	uint32_t first;

	if (!cidr_scan(s, &cidr) || cidr_prefix(&cidr) < PREFIX_MIN || cidr_prefix(&cidr) > PREFIX_MAX)
		return false;
	n->address = cidr.address;
	n->mask = cidr.mask;
	first = n->address >> 24;
	return (n->address & ~n->mask) == 0 && first != 0 && first != 127 && first < 224;
}

int
network_parse(const char *s, struct network *ret, struct err *e)
{
	struct network n = { 0 };
	char shown[64];

	if (!network_scan(s, &n))
		return err_set(e, ERR_INPUT,
		    "VPN network: expected an IPv4 network from /%d to /%d without host bits, as in 10.8.0.0/16, "
		    "found \"%s\"",
		    PREFIX_MIN, PREFIX_MAX, text_printable(s, shown, sizeof(shown)));
	network_divide(&n);
	*ret = n;
	return 0;
}

static const char *
address_format(uint32_t address, char out[NETWORK_ADDRESS_SIZE])
{
	struct in_addr in = { .s_addr = htonl(address) };

	return inet_ntop(AF_INET, &in, out, NETWORK_ADDRESS_SIZE);
}

const char *
network_host(const struct network *n, uint32_t host, char out[NETWORK_ADDRESS_SIZE])
{
	return address_format(n->address + host, out);
}

const char *
network_mask(const struct network *n, char out[NETWORK_ADDRESS_SIZE])
{
	return address_format(n->mask, out);
}

int
network_parse_phone(const struct network *n, const char *s, uint32_t *ret_host, struct err *e)
{
	char first[NETWORK_ADDRESS_SIZE], last[NETWORK_ADDRESS_SIZE], shown[64];
	struct in_addr in;
	uint32_t address, host;

	if (inet_pton(AF_INET, s, &in) != 1)
		return err_set(e, ERR_INPUT, "VPN address: expected an IPv4 address, found \"%s\"",
		    text_printable(s, shown, sizeof(shown)));
	address = ntohl(in.s_addr);
	host = address & ~n->mask;
	if ((address & n->mask) == n->address && host >= n->phones_first && host <= n->phones_last) {
		*ret_host = host;
		return 0;
	}
	return err_set(e, ERR_INPUT, "VPN address: expected one from %s to %s, found %s%s",
	    network_host(n, n->phones_first, first), network_host(n, n->phones_last, last), s,
	    (address & n->mask) != n->address ? ""
	    : host == 0                       ? ", the network's own"
	    : host == 1                       ? ", the server's"
	    : host > n->pool_last             ? ", the broadcast address"
					      : ", which is the pool's, for clients without a fixed address");
}
