/* SPDX-License-Identifier: ISC */
#include "provisioner/proxy.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t"
#define MAPPED_BITS 96 /* RFC 4291 section 2.5.5.2 */
#define SHOWN_SIZE 64

/* IPv4 or IPv6, without anything around it. *ret_bits: as many as the family has. */
static bool
address_parse(const char *s, struct in6_addr *ret, unsigned int *ret_bits)
{
	static const unsigned char mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct in_addr four;

	if (inet_pton(AF_INET6, s, ret) == 1) {
		*ret_bits = 128;
		return true;
	}
	if (inet_pton(AF_INET, s, &four) != 1)
		return false;
	memcpy(ret->s6_addr, mapped, sizeof(mapped));
	memcpy(ret->s6_addr + sizeof(mapped), &four, sizeof(four));
	*ret_bits = 32;
	return true;
}

static bool
network_parse(char *s, struct proxy_network *ret)
{
	char *slash = strchr(s, '/');
	unsigned long prefix;
	unsigned int bits;

	if (slash != NULL)
		*slash = '\0';
	if (!address_parse(s, &ret->address, &bits))
		return false;
	ret->bits = 128;
	if (slash == NULL)
		return true;
	/* A prefix of 0 would believe everybody, which is to trust nobody's address. */
	if (text_number(slash + 1, 1, bits, "prefix", &prefix, NULL) != 0)
		return false;
	ret->bits = (bits == 32 ? MAPPED_BITS : 0) + (unsigned int)prefix;
	return true;
}

int
proxy_trust_parse(const char *list, struct proxy_trust *ret, struct err *e)
{
	char item[INET6_ADDRSTRLEN + 5], shown[SHOWN_SIZE];
	struct proxy_trust t = { .count = 0 };
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		(void)snprintf(item, sizeof(item), "%.*s", (int)len, list);
		if (t.count == PROXY_NETWORKS_MAX)
			return err_set(e, ERR_USAGE, "trusted-proxy: expected at most %d networks, found more",
			    PROXY_NETWORKS_MAX);
		if (len >= sizeof(item) || !network_parse(item, &t.network[t.count++]))
			return err_set(e, ERR_USAGE,
			    "trusted-proxy: expected addresses and networks, as 127.0.0.1,10.1.0.0/16,fd00::/8, found "
			    "\"%s\"",
			    text_printable(list, shown, sizeof(shown)));
		if (list[len] == '\0')
			break;
	}
	*ret = t;
	return 0;
}

static bool
network_has(const struct proxy_network *n, const struct in6_addr *address)
{
	unsigned int whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->address.s6_addr, address->s6_addr, whole) != 0)
		return false;
	return rest == 0 || (n->address.s6_addr[whole] ^ address->s6_addr[whole]) >> (8 - rest) == 0;
}

struct sockaddr_in6
proxy_address(const struct sockaddr *from)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four;

	if (from->sa_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		six.sin6_port = four.sin_port;
		six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
		memcpy(six.sin6_addr.s6_addr + 12, &four.sin_addr, sizeof(four.sin_addr));
	} else if (from->sa_family == AF_INET6) {
		memcpy(&six, from, sizeof(six));
	}
	return six;
}

bool
proxy_is_trusted(const struct proxy_trust *t, const struct in6_addr *address)
{
	for (size_t i = 0; i < t->count; i++)
		if (network_has(&t->network[i], address))
			return true;
	return false;
}

/* len bytes: an address, maybe with a port behind it as some proxies write, in the forms of RFC 7239 section 6. */
static bool
hop_parse(const char *s, size_t len, struct in6_addr *ret)
{
	char text[INET6_ADDRSTRLEN + sizeof("[]:65535")], *at = text;
	unsigned int bits;

	len -= strspn(s, BLANKS) < len ? strspn(s, BLANKS) : len;
	s += strspn(s, BLANKS);
	while (len > 0 && strchr(BLANKS, s[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (text[0] == '[') {
		at++;
		text[strcspn(text, "]")] = '\0';
	} else if (strchr(text, '.') != NULL && strchr(text, ':') == strrchr(text, ':')) {
		text[strcspn(text, ":")] = '\0';
	}
	return address_parse(at, ret, &bits);
}

void
proxy_client(const struct proxy_trust *t, const char *forwarded_for, struct in6_addr *client)
{
	size_t end = strlen(forwarded_for), start;
	struct in6_addr hop;

	while (proxy_is_trusted(t, client)) {
		for (start = end; start > 0 && forwarded_for[start - 1] != ',';)
			start--;
		if (!hop_parse(forwarded_for + start, end - start, &hop))
			return;
		*client = hop;
		if (start == 0)
			return;
		end = start - 1;
	}
}
