/* SPDX-License-Identifier: ISC */
#include "phone/fetch.h"

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
	secret_free(p->user);
	secret_free(p->password);
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
	(void)curl_url_get(p.url, CURLUPART_USER, &p.user, CURLU_URLDECODE);
	(void)curl_url_get(p.url, CURLUPART_PASSWORD, &p.password, CURLU_URLDECODE);
	if (p.scheme == NULL || (strcmp(p.scheme, "http") != 0 && strcmp(p.scheme, "https") != 0)) {
		err_set(e, ERR_INPUT, "URL: expected http or https, found %s", p.scheme != NULL ? p.scheme : "none");
		goto failed;
	}
	if (curl_url_set(p.url, CURLUPART_USER, NULL, 0) != CURLUE_OK ||
	    curl_url_set(p.url, CURLUPART_PASSWORD, NULL, 0) != CURLUE_OK) {
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

struct body {
	CURL *curl;
	struct buf *out;
	size_t headers;
};

static size_t
body_write(char *data, size_t size, size_t count, void *arg)
{
	struct body *b = arg;
	long status = 0;

	/* An error page may be as long as it likes: nobody reads it. */
	(void)curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return 0;
	buf_add(b->out, data, size * count);
	return b->out->broken ? 0 : size * count;
}

static size_t
header_count(char *data, size_t size, size_t count, void *arg)
{
	struct body *b = arg;

	(void)data;
	b->headers += size * count;
	return b->headers > FETCH_HEADERS_MAX ? 0 : size * count;
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
transfer_set(CURL *curl, const struct fetch_request *r, const struct parts *p, struct body *b, char *why, struct err *e)
{
	const char *redirects = strcmp(p->scheme, "https") == 0 ? "https" : "http,https";
	long total = r->total_seconds != 0 ? (long)r->total_seconds : FETCH_TOTAL_SECONDS;
	bool good = true;

#define SET(option, value) good = good && curl_easy_setopt(curl, (option), (value)) == CURLE_OK
	SET(CURLOPT_CURLU, p->url);
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
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)b->out->max);
	SET(CURLOPT_WRITEFUNCTION, body_write);
	SET(CURLOPT_WRITEDATA, b);
	SET(CURLOPT_HEADERFUNCTION, header_count);
	SET(CURLOPT_HEADERDATA, b);
	SET(CURLOPT_ERRORBUFFER, why);
#undef SET
	if (!good || !login_set(curl, p, r->auth))
		return err_set(e, ERR_FAILED, "libcurl: an option of the transfer cannot be set");
	return 0;
}

static int
transfer_failed(CURLcode code, const struct body *b, const char *shown, const char *why, struct err *e)
{
	char clean[CURL_ERROR_SIZE + 4];

	if (code == CURLE_FILESIZE_EXCEEDED || b->out->broken)
		return err_set(e, ERR_INPUT, "%s: expected at most %zu bytes, found more", shown, b->out->max);
	if (b->headers > FETCH_HEADERS_MAX)
		return err_set(e, ERR_FAILED, "%s: expected at most %d bytes of headers, found more", shown,
		    FETCH_HEADERS_MAX);
	return err_set(e, ERR_FAILED, "%s: not fetched: %s", shown,
	    why[0] != '\0' ? text_printable(why, clean, sizeof(clean)) : curl_easy_strerror(code));
}

static int
status_check(long status, const struct fetch_request *r, bool has_login, const char *shown, struct err *e)
{
	if (status == 200)
		return 0;
	if (status == 404 || status == 410)
		return err_set(e, ERR_NOT_FOUND, "%s: expected HTTP 200, found %ld: the server has no such file", shown,
		    status);
	if (status == 401)
		return err_set(e, ERR_FAILED, "%s: expected HTTP 200, found 401: %s", shown,
		    r->auth == FETCH_AUTH_NONE ? "the server wants a login, and --auth none sends none"
		    : has_login ? "user or password refused, or not by the kind of login that --auth names"
				: "the server wants a login, and the URL has no user:password@");
	return err_set(e, ERR_FAILED, "%s: expected HTTP 200, found %ld", shown, status);
}

int
fetch_get(const struct fetch_request *r, struct buf *out, struct err *e)
{
	char why[CURL_ERROR_SIZE] = "";
	struct buf shown = BUF_INIT(1024);
	struct body b = { .out = out };
	struct parts p;
	CURLcode code;
	long status = 0;
	int rc = -1;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl: cannot be started");
	if (parts_read(r->url, &p, e) != 0)
		goto no_parts;
	fetch_show_url(r->url, &shown);
	b.curl = curl_easy_init();
	if (b.curl == NULL) {
		err_set(e, ERR_FAILED, "libcurl: no memory");
		goto out;
	}
	if (transfer_set(b.curl, r, &p, &b, why, e) != 0)
		goto out;
	code = curl_easy_perform(b.curl);
	(void)curl_easy_getinfo(b.curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_WRITE_ERROR && status != 200)
		code = CURLE_OK;
	rc = code != CURLE_OK ? transfer_failed(code, &b, buf_string(&shown), why, e)
	                      : status_check(status, r, p.user != NULL, buf_string(&shown), e);
out:
	if (rc != 0)
		buf_clear(out);
	curl_easy_cleanup(b.curl);
	buf_release(&shown);
	parts_release(&p);
no_parts:
	curl_global_cleanup();
	return rc;
}
