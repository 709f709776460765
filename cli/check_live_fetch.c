/* SPDX-License-Identifier: ISC */
#include "cli/check_live_fetch.h"

#include "ca/pem.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_SECONDS 10L
#define TOTAL_SECONDS 60L
#define SLOW_BYTES 16L /* fewer bytes a second, for */
#define SLOW_SECONDS 20L
#define HEADERS_MAX 65536
#define REDIRECTS_MAX 5L

/* Fill shown, and tell the scheme of a URL. */
static bool
url_look(const char *url, char shown[LIVE_SHOWN_SIZE], bool *ret_https)
{
	CURLU *u = curl_url();
	char *text = NULL, *scheme = NULL;
	bool good = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	            curl_url_set(u, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
	            curl_url_set(u, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	            curl_url_set(u, CURLUPART_QUERY, NULL, 0) == CURLUE_OK &&
	            curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	            curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	            curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK;

	(void)text_printable(good ? text : "(no URL)", shown, LIVE_SHOWN_SIZE);
	*ret_https = good && strcmp(scheme, "https") == 0;
	curl_free(text);
	curl_free(scheme);
	curl_url_cleanup(u);
	return good;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct live_fetch *f = arg;
	long status = 0;

	/* An error page may be as long as it likes: nobody reads it. */
	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return 0;
	buf_add(&f->body, data, size * count);
	return f->body.broken ? 0 : size * count;
}

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct live_fetch *f = arg;
	size_t len = size * count;

	if (f->first_status == 0 && len > 5 && memcmp(data, "HTTP/", 5) == 0)
		(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &f->first_status);
	f->headers += len;
	return f->headers > HEADERS_MAX ? 0 : len;
}

static int
options_set(struct live_fetch *f, const struct live_request *r, void *private, bool https, struct err *e)
{
	bool good = true;

#define SET(option, value) good = good && curl_easy_setopt(f->curl, (option), (value)) == CURLE_OK
	SET(CURLOPT_URL, r->url);
	SET(CURLOPT_PRIVATE, private);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	/* Both, so that the first request has no login: what it gets, anybody gets. */
	SET(CURLOPT_HTTPAUTH, CURLAUTH_BASIC | CURLAUTH_DIGEST);
	SET(CURLOPT_USERAGENT, r->user_agent);
	/* A phone has no environment, and no ~/.netrc. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_TIMEOUT, TOTAL_SECONDS);
	SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->max);
	SET(CURLOPT_CERTINFO, https ? 1L : 0L);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, f);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, f);
	SET(CURLOPT_ERRORBUFFER, f->why);
	/* Without a folder of CAs libcurl reads the file of them once for all transfers. */
	SET(CURLOPT_CAPATH, (char *)NULL);
	if (r->ca_file != NULL)
		SET(CURLOPT_CAINFO, r->ca_file);
#undef SET
	return good ? 0 : err_set(e, ERR_FAILED, "libcurl: an option of the transfer cannot be set");
}

int
live_fetch_begin(struct live_fetch *f, const struct live_request *r, void *private, struct err *e)
{
	bool https;

	*f = (struct live_fetch){ .body = BUF_INIT(r->max) };
	/* The text is not repeated: it may hold a password. */
	if (!url_look(r->url, f->shown, &https))
		return err_set(e, ERR_INPUT,
		    "URL: expected http://host/path or https://..., found none that cURL takes");
	f->curl = curl_easy_init();
	if (f->curl == NULL)
		return err_set(e, ERR_FAILED, "libcurl: no memory");
	return options_set(f, r, private, https, e);
}

void
live_fetch_end(struct live_fetch *f, CURLcode code)
{
	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &f->status);
	/* on_body() refuses the page that comes with another answer. */
	if (code == CURLE_WRITE_ERROR && f->status != 200 && f->headers <= HEADERS_MAX)
		code = CURLE_OK;
	/* A login with yet another nonce counts as a redirect. */
	if (code == CURLE_TOO_MANY_REDIRECTS && f->status == 401)
		code = CURLE_OK;
	f->code = code;
}

bool
live_fetch_is_lost(const struct live_fetch *f, const char **ret_why)
{
	const bool lost = f->code != CURLE_OK && f->status == 0;
	/* cURL's own text has milliseconds in it; that of a certificate says what is wrong with it. */
	const bool plain = lost && f->code != CURLE_PEER_FAILED_VERIFICATION;

	*ret_why = plain || f->why[0] == '\0' ? curl_easy_strerror(f->code) : f->why;
	return lost;
}

void
live_fetch_origin(const struct live_fetch *f, char out[LIVE_SHOWN_SIZE])
{
	const char *host = strstr(f->shown, "://");
	size_t len = host == NULL ? 0 : (size_t)(host - f->shown) + 3;

	len += strcspn(f->shown + len, "/");
	(void)snprintf(out, LIVE_SHOWN_SIZE, "%.*s", (int)len, f->shown);
}

X509 *
live_fetch_certificate(const struct live_fetch *f)
{
	const struct curl_certinfo *chain = NULL;
	STACK_OF(X509) * certs;
	X509 *first;

	if (curl_easy_getinfo(f->curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
	    chain->num_of_certs < 1)
		return NULL;
	for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next) {
		if (strncmp(line->data, "Cert:", 5) != 0)
			continue;
		certs = ca_pem_certs(line->data + 5, strlen(line->data + 5), "server's certificate", NULL);
		first = certs == NULL ? NULL : sk_X509_shift(certs);
		sk_X509_pop_free(certs, X509_free);
		return first;
	}
	return NULL;
}

void
live_fetch_release(struct live_fetch *f)
{
	curl_easy_cleanup(f->curl);
	f->curl = NULL;
	buf_release(&f->body);
}
