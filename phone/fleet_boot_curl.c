/* SPDX-License-Identifier: ISC */
#include "phone/fleet_boot_curl.h"

#include "common/text.h"
#include "phone/fleet_nonce.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CNONCE "0a4f113b" /* any text: nobody is to be kept from guessing what it was */
#define SMALL_BUFFER 1024 /* libcurl's least: a bundle comes in pieces */

static curl_socket_t
connection_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct fleet_boot *h = arg;
	struct fleet_boot_crowd *c = h->crowd;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (!fleet_poll_opened(c->poll, fd)) {
		(void)close(fd);
		return CURL_SOCKET_BAD;
	}
	h->open++;
	c->open++;
	if (c->open > c->most)
		c->most = c->open;
	return fd;
}

static int
connection_close(void *arg, curl_socket_t fd)
{
	struct fleet_boot *h = arg;

	h->open--;
	h->crowd->open--;
	fleet_poll_closed(h->crowd->poll, fd);
	return close(fd);
}

/*
 * Phones are different devices, and libcurl would let one use another's connection: so each boot has a share, which
 * is shared with nobody.
 */
static int
dial(struct fleet_boot *h, struct err *e)
{
	if (h->plan.share || h->connections != NULL)
		return 0;
	h->connections = curl_share_init();
	if (h->connections == NULL ||
	    curl_share_setopt(h->connections, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK)
		return err_set(e, ERR_FAILED, "libcurl: no memory for a connection");
	return 0;
}

void
fleet_boot_hang_up(struct fleet_boot *h)
{
	if (h->connections == NULL || h->open == 0)
		return;
	fleet_boot_free_connections(h);
}

void
fleet_boot_free_connections(struct fleet_boot *h)
{
	if (h->curl != NULL)
		(void)curl_easy_setopt(h->curl, CURLOPT_SHARE, NULL);
	if (h->connections != NULL)
		(void)curl_share_cleanup(h->connections);
	h->connections = NULL;
}

/* Half of the body is there, and it is not that of a 401: the phone has had enough. */
static int
cut_at_half(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	const struct fleet_boot *h = arg;
	long status = 0;

	(void)up_total;
	(void)up_now;
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 && total > 0 && now >= total / 2;
}

long long
fleet_boot_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/*
 * A piece of the bundle, and then a pause. CURLOPT_MAX_RECV_SPEED_LARGE is no help: libcurl 7.88 looks at it only when
 * the socket is empty, and by then it has the whole bundle.
 */
static size_t
slow_write(char *data, size_t size, size_t count, void *arg)
{
	struct fleet_boot *h = arg;
	struct buf *out = boot_body(&h->boot);
	long status = 0;

	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return 0;
	buf_add(out, data, size * count);
	if (out->broken || curl_easy_pause(h->curl, CURLPAUSE_RECV) != CURLE_OK)
		return 0;
	h->resume = fleet_boot_clock() + (long long)(size * count) * 1000000 / FAULT_SLOW_SPEED;
	h->slow_next = NULL;
	*h->crowd->slow_end = h;
	h->crowd->slow_end = &h->slow_next;
	return size * count;
}

void
fleet_boot_resume(struct fleet_boot_crowd *c)
{
	while (c->slow != NULL && c->slow->resume <= fleet_boot_clock()) {
		struct fleet_boot *h = c->slow;

		fleet_boot_hurry(h);
		(void)curl_easy_pause(h->curl, CURLPAUSE_CONT);
	}
}

void
fleet_boot_hurry(struct fleet_boot *h)
{
	struct fleet_boot **at = &h->crowd->slow;

	while (*at != NULL && *at != h)
		at = &(*at)->slow_next;
	if (*at == NULL)
		return;
	*at = h->slow_next;
	if (h->crowd->slow_end == &h->slow_next)
		h->crowd->slow_end = at;
}

int
fleet_boot_set(struct fleet_boot *h, unsigned int kind, struct err *e)
{
	bool pieces = (kind & (FLEET_BOOT_CUT | FLEET_BOOT_SLOW)) != 0, good = true;

	if (dial(h, e) != 0)
		return -1;
#define SET(option, value) good = good && curl_easy_setopt(h->curl, (option), (value)) == CURLE_OK
	SET(CURLOPT_PRIVATE, h);
	if (!h->plan.share)
		SET(CURLOPT_SHARE, h->connections);
	SET(CURLOPT_OPENSOCKETFUNCTION, connection_open);
	SET(CURLOPT_OPENSOCKETDATA, h);
	SET(CURLOPT_CLOSESOCKETFUNCTION, connection_close);
	SET(CURLOPT_CLOSESOCKETDATA, h);
	SET(CURLOPT_BUFFERSIZE, (long)(pieces ? SMALL_BUFFER : FLEET_BOOT_BUFFER));
	/* One request, then its answer: nothing that Nagle's algorithm could hold back. */
	SET(CURLOPT_TCP_NODELAY, 0L);
	/* The name is looked up once, by the first phone: each look-up is a thread. */
	SET(CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* libcurl reads the file of CAs once for all, but only where there is no folder of them, too. */
	SET(CURLOPT_CAPATH, (char *)NULL);
	/* Nothing follows, not even the same request with a login: hanging up is cheap now. */
	if ((kind & FLEET_BOOT_LAST) != 0 && !h->plan.share)
		SET(CURLOPT_FORBID_REUSE, 1L);
	if ((kind & FLEET_BOOT_CUT) != 0) {
		SET(CURLOPT_XFERINFOFUNCTION, cut_at_half);
		SET(CURLOPT_XFERINFODATA, h);
		SET(CURLOPT_NOPROGRESS, 0L);
	}
	if ((kind & FLEET_BOOT_SLOW) != 0) {
		SET(CURLOPT_WRITEFUNCTION, slow_write);
		SET(CURLOPT_WRITEDATA, h);
	}
#undef SET
	return good ? 0 : err_set(e, ERR_FAILED, "libcurl: an option of the transfer cannot be set");
}

void
fleet_boot_count(struct fleet_boot *h)
{
	long sent = 0, followed = 0;
	curl_off_t bytes = 0;

	(void)curl_easy_getinfo(h->curl, CURLINFO_REQUEST_SIZE, &sent);
	(void)curl_easy_getinfo(h->curl, CURLINFO_REDIRECT_COUNT, &followed);
	(void)curl_easy_getinfo(h->curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	if (sent > 0)
		h->crowd->requests += 1 + (unsigned long)followed;
	h->crowd->bytes += (unsigned long long)bytes;
}

/* The login and the path of the phone's URL, for one Authorization header. */
static int
forge(const char *url, struct challenge *c, struct buf *out, struct err *e)
{
	CURLU *parts = curl_url();
	char *user = NULL, *password = NULL, *path = NULL;
	int rc = -1;

	if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_USER, &user, CURLU_URLDECODE) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		goto out;
	(void)curl_url_get(parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
	challenge_age(c);
	buf_add_string(out, "Authorization: ");
	rc = challenge_answer(c, user, password != NULL ? password : "", "GET", path, CNONCE, out, e);
out:
	if (password != NULL)
		OPENSSL_cleanse(password, strlen(password));
	curl_free(password);
	curl_free(user);
	curl_free(path);
	curl_url_cleanup(parts);
	return rc;
}

void
fleet_boot_forge(struct fleet_boot *h)
{
	struct buf line = BUF_INIT(8192);
	struct curl_header *header;
	struct challenge c;

	for (size_t i = 0; curl_easy_header(h->curl, "WWW-Authenticate", i, CURLH_HEADER, -1, &header) == CURLHE_OK;
	     i++) {
		if (!challenge_parse(header->value, &c))
			continue;
		if (forge(h->request.url, &c, &line, NULL) == 0)
			h->headers = curl_slist_append(NULL, buf_string(&line));
		break;
	}
	buf_release(&line);
}

int
fleet_boot_fetch(struct fleet_boot *h, struct buf *out, struct err *e)
{
	if (h->curl == NULL)
		h->curl = curl_easy_init();
	if (h->curl == NULL)
		return err_set(e, ERR_FAILED, "libcurl: no memory");
	h->request.curl = h->curl;
	h->fetch = fetch_start(&h->request, out, e);
	return h->fetch != NULL ? 0 : -1;
}

void
fleet_boot_discard(struct fleet_boot *h)
{
	curl_easy_cleanup(h->curl);
	h->curl = NULL;
}

void
fleet_boot_drop(struct fleet_boot *h)
{
	struct err ignored = ERR_INIT;

	if (h->fetch != NULL)
		(void)fetch_end(h->fetch, CURLE_ABORTED_BY_CALLBACK, &ignored);
	h->fetch = NULL;
}
