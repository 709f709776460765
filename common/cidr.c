/* SPDX-License-Identifier: ISC */
#include "common/cidr.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

bool
cidr_scan(const char *s, struct cidr *ret)
{
	char text[INET_ADDRSTRLEN];
	size_t len = strcspn(s, "/");
	struct in_addr address;
	unsigned long prefix;

	if (s[len] != '/' || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &address) != 1 || text_number(s + len + 1, 1, 32, "prefix", &prefix, NULL) != 0)
		return false;
	*ret = (struct cidr){ .address = ntohl(address.s_addr), .mask = UINT32_MAX << (32 - prefix) };
	return true;
}

bool
cidr_has(const struct cidr *n, uint32_t address)
{
	return n->mask != 0 && ((address ^ n->address) & n->mask) == 0;
}

unsigned int
cidr_prefix(const struct cidr *n)
{
	return (unsigned int)__builtin_popcount(n->mask);
}
