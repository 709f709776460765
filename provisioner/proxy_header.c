/* SPDX-License-Identifier: ISC */
#include "provisioner/proxy_header.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#define TEXT_NAME "PROXY "
#define TEXT_MAX 107 /* section 2.1, with its CRLF */
#define FIELDS 6
#define BINARY_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BINARY_FIXED 16
#define COMMAND_LOCAL 0x20
#define COMMAND_PROXY 0x21
#define TCP4_LEN 12
#define TCP6_LEN 36

static bool
begins_with(const unsigned char *data, size_t len, const char *name, size_t name_len)
{
	return memcmp(data, name, len < name_len ? len : name_len) == 0;
}

static void
client_set(struct proxy_header *h, const void *address, bool six, uint16_t port)
{
	h->relayed = true;
	h->client = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	if (six) {
		memcpy(h->client.sin6_addr.s6_addr, address, 16);
	} else {
		h->client.sin6_addr.s6_addr[10] = h->client.sin6_addr.s6_addr[11] = 0xff;
		memcpy(h->client.sin6_addr.s6_addr + 12, address, 4);
	}
}

/* ---- version 1: a line ---- */

static bool
port_scan(const char *s, uint16_t *ret)
{
	unsigned long n;

	if ((s[0] == '0' && s[1] != '\0') || text_number(s, 0, 65535, "port", &n, NULL) != 0)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* At each blank, into exactly so many. */
static bool
line_split(char *line, char *field[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = strsep(&line, " ");
		if (field[i] == NULL)
			return false;
	}
	return line == NULL;
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443" */
static bool
line_parse(char *line, struct proxy_header *h)
{
	unsigned char client[16], server[16];
	uint16_t client_port, server_port;
	char *field[FIELDS];
	bool six;

	if (!line_split(line, field))
		return false;
	six = strcmp(field[1], "TCP6") == 0;
	if ((!six && strcmp(field[1], "TCP4") != 0) || inet_pton(six ? AF_INET6 : AF_INET, field[2], client) != 1 ||
	    inet_pton(six ? AF_INET6 : AF_INET, field[3], server) != 1 || !port_scan(field[4], &client_port) ||
	    !port_scan(field[5], &server_port))
		return false;
	client_set(h, client, six, client_port);
	return true;
}

static enum proxy_header_state
text_parse(const unsigned char *data, size_t len, struct proxy_header *ret)
{
	static const char unknown[] = TEXT_NAME "UNKNOWN";
	size_t max = len < TEXT_MAX ? len : TEXT_MAX;
	struct proxy_header h = { .relayed = false };
	const unsigned char *end = memchr(data, '\n', max);
	char line[TEXT_MAX + 1], *after = line + sizeof(unknown) - 1;

	if (end == NULL)
		return max < TEXT_MAX ? PROXY_HEADER_PARTIAL : PROXY_HEADER_BROKEN;
	h.len = (size_t)(end - data) + 1;
	memcpy(line, data, h.len);
	line[h.len - 1] = '\0';
	if (strlen(line) != h.len - 1 || line[h.len - 2] != '\r')
		return PROXY_HEADER_BROKEN;
	line[h.len - 2] = '\0';
	if (strncmp(line, unknown, sizeof(unknown) - 1) != 0 || (*after != '\0' && *after != ' ')) {
		if (!line_parse(line, &h))
			return PROXY_HEADER_BROKEN;
	}
	*ret = h;
	return PROXY_HEADER_WHOLE;
}

/* ---- version 2: bytes ---- */

/* Each family and protocol of section 2.2; those without an IP address have the proxy's own. */
static bool
addresses_parse(unsigned char family, const unsigned char *data, size_t len, struct proxy_header *h)
{
	size_t port_at;
	bool six = family >> 4 == 2;

	if (family >> 4 > 3 || (family & 0xf) > 2)
		return false;
	if (family != 0x11 && family != 0x21)
		return true;
	if (len < (six ? TCP6_LEN : TCP4_LEN))
		return false;
	port_at = six ? 32 : 8;
	client_set(h, data, six, (uint16_t)(data[port_at] << 8 | data[port_at + 1]));
	return true;
}

static enum proxy_header_state
binary_parse(const unsigned char *data, size_t len, struct proxy_header *ret)
{
	struct proxy_header h = { .relayed = false };
	size_t rest;

	if (len < BINARY_FIXED)
		return PROXY_HEADER_PARTIAL;
	rest = (size_t)data[14] << 8 | data[15];
	h.len = BINARY_FIXED + rest;
	if ((data[12] != COMMAND_LOCAL && data[12] != COMMAND_PROXY) || h.len > PROXY_HEADER_MAX)
		return PROXY_HEADER_BROKEN;
	if (len < h.len)
		return PROXY_HEADER_PARTIAL;
	if (data[12] == COMMAND_PROXY && !addresses_parse(data[13], data + BINARY_FIXED, rest, &h))
		return PROXY_HEADER_BROKEN;
	*ret = h;
	return PROXY_HEADER_WHOLE;
}

enum proxy_header_state
proxy_header_parse(const void *data, size_t len, struct proxy_header *ret)
{
	if (len == 0)
		return PROXY_HEADER_PARTIAL;
	if (begins_with(data, len, BINARY_SIGNATURE, sizeof(BINARY_SIGNATURE) - 1))
		return binary_parse(data, len, ret);
	if (begins_with(data, len, TEXT_NAME, sizeof(TEXT_NAME) - 1))
		return text_parse(data, len, ret);
	return PROXY_HEADER_BROKEN;
}
