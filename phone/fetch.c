/* SPDX-License-Identifier: ISC */
#include "phone/fetch.h"

#include "common/process.h"
#include "common/text.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned long bits;
} auths[] = {
	[FETCH_AUTH_NONE] = { "none", CURLAUTH_NONE },
	[FETCH_AUTH_BASIC] = { "basic", CURLAUTH_BASIC },
	[FETCH_AUTH_DIGEST] = { "digest", CURLAUTH_DIGEST },
	[FETCH_AUTH_ANY] = { "any", CURLAUTH_BASIC | CURLAUTH_DIGEST },
};

int
fetch_auth_parse(const char *name, enum fetch_auth *ret, struct err *e)
{
	char shown[64];

	for (size_t i = 0; i < sizeof(auths) / sizeof(auths[0]); i++) {
		if (strcmp(name, auths[i].name) == 0) {
			*ret = (enum fetch_auth)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "auth: expected none, basic, digest or any, found \"%s\"",
	    text_printable(name, shown, sizeof(shown)));
}

/* A URL taken apart. The strings are curl's. */
struct parts {
	CURLU *url; /* without user and password */
	char *scheme, *user, *password;
	char *text; /* of url, where that is another than what was read */
};

static void
secret_free(char *s)
{
	if (s != NULL)
		OPENSSL_cleanse(s, strlen(s));
	curl_free(s);
}

static void
parts_release(struct parts *p)
{
	curl_url_cleanup(p->url);
	curl_free(p->scheme);
	curl_free(p->text);
	secret_free(p->user);
	secret_free(p->password);
}

/* Decoded; *ret stays NULL where there is none. A transfer refuses "%00", too: CURLE_URL_MALFORMAT. */
static bool
login_read(CURLU *url, CURLUPart part, CURLUcode absent, char **ret)
{
	CURLUcode why = curl_url_get(url, part, ret, CURLU_URLDECODE);

	return why == CURLUE_OK || why == absent;
}

static int
parts_read(const char *url, struct parts *ret, struct err *e)
{
	struct parts p = { .url = curl_url() };
	CURLUcode why;

	if (p.url == NULL)
		return err_set(e, ERR_FAILED, "URL: no memory");
	/* The text is not repeated: it may hold a password. */
	why = curl_url_set(p.url, CURLUPART_URL, url, 0);
	if (why != CURLUE_OK) {
		err_set(e, ERR_INPUT, "URL: expected http://[user:password@]host[:port]/path or https://..., found: %s",
		    curl_url_strerror(why));
		goto failed;
	}
	(void)curl_url_get(p.url, CURLUPART_SCHEME, &p.scheme, 0);
	if (!login_read(p.url, CURLUPART_USER, CURLUE_NO_USER, &p.user) ||
	    !login_read(p.url, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, &p.password)) {
		err_set(e, ERR_INPUT, "URL: expected a user and password that cURL takes, found one with a NUL (%%00)");
		goto failed;
	}
	if (p.scheme == NULL || (strcmp(p.scheme, "http") != 0 && strcmp(p.scheme, "https") != 0)) {
		err_set(e, ERR_INPUT, "URL: expected http or https, found %s", p.scheme != NULL ? p.scheme : "none");
		goto failed;
	}
	if ((p.user != NULL || p.password != NULL) &&
	    (curl_url_set(p.url, CURLUPART_USER, NULL, 0) != CURLUE_OK ||
		curl_url_set(p.url, CURLUPART_PASSWORD, NULL, 0) != CURLUE_OK ||
		curl_url_get(p.url, CURLUPART_URL, &p.text, 0) != CURLUE_OK)) {
		err_set(e, ERR_FAILED, "URL: no memory");
		goto failed;
	}
	*ret = p;
	return 0;
failed:
	parts_release(&p);
	return -1;
}

void
fetch_show_url(const char *url, struct buf *out)
{
	struct parts p;
	char *text = NULL, shown[512];

	if (parts_read(url, &p, NULL) != 0) {
		buf_add_string(out, "(no URL)");
		return;
	}
	(void)curl_url_set(p.url, CURLUPART_QUERY, NULL, 0);
	(void)curl_url_set(p.url, CURLUPART_FRAGMENT, NULL, 0);
	if (curl_url_get(p.url, CURLUPART_URL, &text, 0) == CURLUE_OK)
		buf_add_string(out, text_printable(text, shown, sizeof(shown)));
	curl_free(text);
	parts_release(&p);
}

/* The base is only appended to, so that what the admin wrote reaches the server as it stands. */
int
fetch_config_url(const char *base, const char *mac, struct buf *out, struct err *e)
{
	struct parts p;
	size_t len = strcspn(base, "?#");

	if (parts_read(base, &p, e) != 0)
		return -1;
	parts_release(&p);
	if (base[len] != '\0')
		return err_set(e, ERR_INPUT, "URL: expected a path at its end, to put %s.cfg behind; found a query",
		    mac);
	buf_addf(out, "%s%s%s.cfg", base, base[len - 1] == '/' ? "" : "/", mac);
	return buf_check(out, "URL", e);
}

/* One transfer, from its options to what came of it. */
struct fetch {
	const struct fetch_request *request;
	struct parts parts;
	CURL *curl;
	struct buf *out;
	size_t headers;
	char why[CURL_ERROR_SIZE];
};

static size_t
body_write(char *data, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;
	long status = 0;

	/* An error page may be as long as it likes: nobody reads it. */
	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return 0;
	buf_add(f->out, data, size * count);
	return f->out->broken ? 0 : size * count;
}

static size_t
header_count(char *data, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;

	(void)data;
	f->headers += size * count;
	return f->headers > FETCH_HEADERS_MAX ? 0 : size * count;
}

/* libcurl calls it at least once a second. */
static int
stop_check(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	(void)arg;
	(void)down_total;
	(void)down;
	(void)up_total;
	(void)up;
	return process_end_is_asked();
}

static bool
login_set(CURL *curl, const struct parts *p, enum fetch_auth auth)
{
	if (auth == FETCH_AUTH_NONE || p->user == NULL)
		return true;
	return curl_easy_setopt(curl, CURLOPT_HTTPAUTH, auths[auth].bits) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_USERNAME, p->user) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PASSWORD, p->password != NULL ? p->password : "") == CURLE_OK;
}

static int
transfer_set(struct fetch *f, struct err *e)
{
	const struct fetch_request *r = f->request;
	const char *redirects = strcmp(f->parts.scheme, "https") == 0 ? "https" : "http,https";
	long total = r->total_seconds != 0 ? (long)r->total_seconds : FETCH_TOTAL_SECONDS;
	bool good = true;

#define SET(option, value) good = good && curl_easy_setopt(f->curl, (option), (value)) == CURLE_OK
	SET(CURLOPT_URL, f->parts.text != NULL ? f->parts.text : r->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, redirects);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS_MAX);
	SET(CURLOPT_USERAGENT, r->user_agent);
	/* A phone has no environment, and no ~/.netrc. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, total < FETCH_CONNECT_SECONDS ? total : (long)FETCH_CONNECT_SECONDS);
	SET(CURLOPT_TIMEOUT, total);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (long)FETCH_SLOW_SECONDS);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->out->max);
	SET(CURLOPT_WRITEFUNCTION, body_write);
	SET(CURLOPT_WRITEDATA, f);
	SET(CURLOPT_HEADERFUNCTION, header_count);
	SET(CURLOPT_HEADERDATA, f);
	SET(CURLOPT_ERRORBUFFER, f->why);
	SET(CURLOPT_XFERINFOFUNCTION, stop_check);
	SET(CURLOPT_NOPROGRESS, r->stoppable ? 0L : 1L);
#undef SET
	if (!good || !login_set(f->curl, &f->parts, r->auth))
		return err_set(e, ERR_FAILED, "libcurl: an option of the transfer cannot be set");
	return 0;
}

static int
transfer_failed(const struct fetch *f, CURLcode code, const char *shown, struct err *e)
{
	char clean[CURL_ERROR_SIZE + 4];

	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(e, ERR_FAILED, "%s: not fetched: stopped by a signal", shown);
	if (code == CURLE_FILESIZE_EXCEEDED || f->out->broken)
		return err_set(e, ERR_INPUT, "%s: expected at most %zu bytes, found more", shown, f->out->max);
	if (f->headers > FETCH_HEADERS_MAX)
		return err_set(e, ERR_FAILED, "%s: expected at most %d bytes of headers, found more", shown,
		    FETCH_HEADERS_MAX);
	return err_set(e, ERR_FAILED, "%s: not fetched: %s", shown,
	    f->why[0] != '\0' ? text_printable(f->why, clean, sizeof(clean)) : curl_easy_strerror(code));
}

static int
status_failed(const struct fetch *f, long status, const char *shown, struct err *e)
{
	if (status == 404 || status == 410)
		return err_set(e, ERR_NOT_FOUND, "%s: expected HTTP 200, found %ld: the server has no such file", shown,
		    status);
	if (status == 401)
		return err_set(e, ERR_DENIED, "%s: expected HTTP 200, found 401: %s", shown,
		    f->request->auth == FETCH_AUTH_NONE ? "the server wants a login, and --auth none sends none"
		    : f->parts.user != NULL ? "user or password refused, or not by the kind of login that --auth names"
					    : "the server wants a login, and the URL has no user:password@");
	return err_set(e, status == 403 ? ERR_DENIED : ERR_FAILED, "%s: expected HTTP 200, found %ld", shown, status);
}

static void
fetch_free(struct fetch *f)
{
	/* The caller's is as it came: it knows nothing of what is freed here. */
	if (f->request->curl != NULL)
		curl_easy_reset(f->curl);
	else
		curl_easy_cleanup(f->curl);
	parts_release(&f->parts);
	free(f);
}

struct fetch *
fetch_start(const struct fetch_request *r, struct buf *out, struct err *e)
{
	struct fetch *f = malloc(sizeof(*f));

	if (f == NULL) {
		err_set(e, ERR_FAILED, "libcurl: no memory");
		return NULL;
	}
	*f = (struct fetch){ .request = r, .out = out };
	if (parts_read(r->url, &f->parts, e) != 0) {
		free(f);
		return NULL;
	}
	f->curl = r->curl != NULL ? r->curl : curl_easy_init();
	if (f->curl == NULL)
		err_set(e, ERR_FAILED, "libcurl: no memory");
	if (f->curl == NULL || transfer_set(f, e) != 0) {
		fetch_free(f);
		return NULL;
	}
	return f;
}

CURL *
fetch_curl(struct fetch *f)
{
	return f->curl;
}

int
fetch_end(struct fetch *f, CURLcode code, struct err *e)
{
	struct buf shown = BUF_INIT(1024);
	long status = 0;
	int rc = 0;

	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	/* body_write() refuses the page that comes with another answer. */
	if (code == CURLE_WRITE_ERROR && status != 200 && f->headers <= FETCH_HEADERS_MAX)
		code = CURLE_OK;
	/* A login with yet another nonce counts as a redirect. */
	if (code == CURLE_TOO_MANY_REDIRECTS && status == 401)
		code = CURLE_OK;
	if (code != CURLE_OK || status != 200) {
		fetch_show_url(f->request->url, &shown);
		rc = code != CURLE_OK ? transfer_failed(f, code, buf_string(&shown), e)
		                      : status_failed(f, status, buf_string(&shown), e);
		buf_clear(f->out);
	}
	buf_release(&shown);
	fetch_free(f);
	return rc;
}

int
fetch_get(const struct fetch_request *r, struct buf *out, struct err *e)
{
	struct fetch *f;
	int rc = -1;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl: cannot be started");
	f = fetch_start(r, out, e);
	if (f != NULL)
		rc = fetch_end(f, curl_easy_perform(f->curl), e);
	curl_global_cleanup();
	return rc;
}
