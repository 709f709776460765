/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

/* enum in net/tcp_states.h, which netinet/tcp.h has as well; the two headers cannot be had together. */
#define STATE_FIN_WAIT1 4
#define STATE_FIN_WAIT2 5
#define STATE_CLOSE 7

/* That the library has sent an answer says that the kernel has it: a phone that goes away now may have none of it. */
struct http_owed {
	struct http_receipt receipt;
	char client[INET6_ADDRSTRLEN];
	bool last;    /* it ends its connection, and nothing of it is heard of any more */
	uint64_t end; /* bytes of the connection that the client's TCP has then acknowledged */
};

static int
socket_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

static bool
tcp_state(int fd, struct tcp_info *ret)
{
	socklen_t len = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &len) == 0;
}

void
http_receipt_sent(const struct http_request *q)
{
	struct http_peer *p = http_peer_of(q->connection);
	int fd = socket_of(q->connection), queued = 0;
	struct tcp_info info;
	struct http_owed *o;

	if (p == NULL || !tcp_state(fd, &info) || ioctl(fd, SIOCOUTQ, &queued) != 0)
		return;
	o = malloc(sizeof(*o));
	if (o == NULL)
		return;
	o->receipt = q->receipt;
	o->receipt.at = time(NULL);
	memcpy(o->client, q->client, sizeof(o->client));
	o->last = info.tcpi_state == STATE_FIN_WAIT1 || info.tcpi_state == STATE_FIN_WAIT2;
	o->end = info.tcpi_bytes_acked + (uint64_t)queued;
	free(p->owed);
	p->owed = o;
}

static void
owed_end(struct http_peer *p, bool arrived)
{
	const struct http_source *source = &p->server->config.source;
	const struct http_owed *o = p->owed;

	if (arrived)
		source->sent(source->arg, &o->receipt, o->client);
	free(p->owed);
	p->owed = NULL;
}

void
http_receipt_next(struct http_peer *p)
{
	if (p->owed != NULL)
		owed_end(p, true);
}

/*
 * Who closes a socket with something unread in it resets the connection: tcp(7), RFC 2525 section 2.17. With TLS every end
 * may be a reset, as our own closing alert comes to nobody.
 */
static bool
has_arrived(const struct http_peer *p, struct MHD_Connection *connection)
{
	struct tcp_info info;

	if (!tcp_state(socket_of(connection), &info))
		return false;
	if (info.tcpi_state == STATE_CLOSE && atomic_load(&p->server->tls) == NULL)
		return false;
	return p->owed->last || info.tcpi_bytes_acked >= p->owed->end;
}

void
http_receipt_end(struct http_peer *p, struct MHD_Connection *connection)
{
	if (p->owed != NULL)
		owed_end(p, has_arrived(p, connection));
}
