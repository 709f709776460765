/* SPDX-License-Identifier: ISC */
#include "provisioner/http_limit.h"

#include "common/log.h"
#include "common/process.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BUCKETS 1024
#define ANSWER_BYTES_PER_SECOND 1024
#define TELL_AGAIN 16 /* "full" is told again when a sixteenth was free in between */

struct http_connection {
	struct http_connection *prev, *next; /* in its address' bucket */
	uint64_t address;                    /* of IPv6 the network, as one subscriber has all of a /64 */
	unsigned int bucket;
	int fd;
	bool exceeded, shared; /* shared: a proxy's */
	atomic_llong deadline; /* seconds of the monotonic clock */
};

struct http_limit {
	unsigned int max, per_address;
	const struct proxy_trust *proxies;
	pthread_t watch;
	pthread_mutex_t lock;
	pthread_cond_t end;
	bool ending, told;
	atomic_uint count; /* of those that are not exceeded */
	struct http_connection *buckets[BUCKETS];
};

static long long
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

static uint64_t
network_of(const struct in6_addr *address)
{
	uint64_t network = 0;

	if (IN6_IS_ADDR_V4MAPPED(address))
		memcpy(&network, &address->s6_addr[12], 4);
	else
		memcpy(&network, address, sizeof(network));
	return network;
}

/*
 * Shut down those whose time is over; the library, which only knows of silence, then sees their end and closes them. It
 * tells of that under the lock before it closes the descriptor, so none can have become another's.
 */
static void
watch_once(struct http_limit *l)
{
	long long when = now();

	for (unsigned int i = 0; i < BUCKETS; i++) {
		for (struct http_connection *c = l->buckets[i]; c != NULL; c = c->next) {
			if (atomic_load(&c->deadline) < when)
				(void)shutdown(c->fd, SHUT_RDWR);
		}
	}
}

static void *
watch(void *arg)
{
	struct http_limit *l = arg;
	struct timespec until;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->ending) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&l->end, &l->lock, &until);
		watch_once(l);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return NULL;
}

struct http_limit *
http_limit_new(unsigned int max, unsigned int per_address, const struct proxy_trust *proxies, struct err *e)
{
	struct http_limit *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL) {
		(void)err_set(e, ERR_FAILED, "HTTP server: no memory is left to start it");
		return NULL;
	}
	l->max = max;
	l->per_address = per_address;
	l->proxies = proxies;
	(void)pthread_mutex_init(&l->lock, NULL);
	process_cond_init(&l->end);
	rc = pthread_create(&l->watch, NULL, watch, l);
	if (rc == 0)
		return l;
	(void)err_errno(e, ERR_FAILED, rc, "HTTP server: no thread can be started");
	(void)pthread_cond_destroy(&l->end);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}

void
http_limit_free(struct http_limit *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_lock(&l->lock);
	l->ending = true;
	(void)pthread_cond_signal(&l->end);
	(void)pthread_mutex_unlock(&l->lock);
	(void)pthread_join(l->watch, NULL);
	(void)pthread_cond_destroy(&l->end);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Whether its address has more with it than its share and so many beyond. */
static bool
share_exceeded(const struct http_limit *l, const struct http_connection *c, unsigned int beyond)
{
	unsigned int same = 1, most = l->per_address + beyond;

	if (l->per_address == 0 || c->shared)
		return false;
	for (const struct http_connection *o = l->buckets[c->bucket]; o != NULL && same <= most; o = o->next) {
		if (o->address == c->address)
			same++;
	}
	return same > most;
}

/*
 * Judge it, and count it in. What an address has beyond its share takes nothing of what all have together, and only a few
 * of the places in which others are told that all is taken: the rest is closed at once. Under the lock.
 */
static void
connection_add(struct http_limit *l, struct http_connection *c)
{
	bool full = atomic_load(&l->count) >= l->max;

	c->exceeded = full || share_exceeded(l, c, 0);
	if (!c->exceeded)
		(void)atomic_fetch_add(&l->count, 1);
	else if (share_exceeded(l, c, HTTP_REFUSED_PER_ADDRESS))
		(void)shutdown(c->fd, SHUT_RDWR);
	c->next = l->buckets[c->bucket];
	if (c->next != NULL)
		c->next->prev = c;
	l->buckets[c->bucket] = c;
	if (full && !l->told) {
		log_warn("%u connections, as many as there may be: further ones are answered with 503", l->max);
		l->told = true;
	}
}

static void
connection_remove(struct http_limit *l, struct http_connection *c)
{
	if (!c->exceeded)
		(void)atomic_fetch_sub(&l->count, 1);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->buckets[c->bucket] = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (l->count < l->max - l->max / TELL_AGAIN)
		l->told = false;
}

static struct http_connection *
connection_new(const struct http_limit *l, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *from, *fd;
	struct http_connection *c = calloc(1, sizeof(*c));
	struct in6_addr address;

	from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (c == NULL || from == NULL || fd == NULL) {
		free(c);
		return NULL;
	}
	address = proxy_address(from->client_addr).sin6_addr;
	c->address = network_of(&address);
	c->shared = proxy_is_trusted(l->proxies, &address);
	c->bucket = (unsigned int)((c->address * 0x9e3779b97f4a7c15u) >> 54); /* Knuth's multiplicative hash */
	c->fd = fd->connect_fd;
	return c;
}

void
http_limit_notify(struct http_limit *l, struct MHD_Connection *connection, struct http_connection **ret_connection,
    enum MHD_ConnectionNotificationCode code)
{
	struct http_connection *c = *ret_connection;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		c = connection_new(l, connection);
	if (c == NULL)
		return;
	(void)pthread_mutex_lock(&l->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_add(l, c);
		http_limit_next(c);
	} else {
		connection_remove(l, c);
	}
	(void)pthread_mutex_unlock(&l->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*ret_connection = c;
	} else {
		free(c);
		*ret_connection = NULL;
	}
}

bool
http_limit_exceeded(const struct http_connection *c)
{
	return c->exceeded;
}

bool
http_limit_crowded(const struct http_limit *l)
{
	return atomic_load_explicit(&l->count, memory_order_relaxed) > HTTP_CROWD;
}

void
http_limit_answer(struct http_connection *c, size_t len)
{
	atomic_store(&c->deadline, now() + HTTP_ANSWER_SECONDS + (long long)(len / ANSWER_BYTES_PER_SECOND));
}

void
http_limit_next(struct http_connection *c)
{
	atomic_store(&c->deadline, now() + (c->exceeded ? HTTP_REFUSED_SECONDS : HTTP_REQUEST_SECONDS));
}
