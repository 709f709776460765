/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include "common/log.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

bool
http_log_client(struct http_request *q, const struct sockaddr *from)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	int family = from->sa_family;
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		q->address_len = sizeof(four.sin_addr);
		memcpy(q->address, &four.sin_addr, q->address_len);
	} else if (family == AF_INET6) {
		memcpy(&six, from, sizeof(six));
		q->address_len = sizeof(six.sin6_addr);
		memcpy(q->address, &six.sin6_addr, q->address_len);
		/* An IPv4 client of a socket that takes both: RFC 4291 section 2.5.5.2. */
		if (memcmp(q->address, mapped, sizeof(mapped)) == 0) {
			family = AF_INET;
			q->address_len -= sizeof(mapped);
			memmove(q->address, q->address + sizeof(mapped), q->address_len);
		}
	} else {
		return false;
	}
	return inet_ntop(family, q->address, q->client, sizeof(q->client)) != NULL;
}

static const char *
or_dash(const char *s)
{
	return s[0] != '\0' ? s : "-";
}

void
http_log_request(const struct http_request *q, enum MHD_RequestTerminationCode how)
{
	log_info("%s %s %s %s %s %u %zu%s", q->client, or_dash(q->log_method), http_route_name(q->route.kind),
	    or_dash(q->route.mac), or_dash(q->route.md5), q->status, q->bytes,
	    how != MHD_REQUEST_TERMINATED_COMPLETED_OK && q->bytes > 0 ? " incomplete" : "");
}
