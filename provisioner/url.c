/* SPDX-License-Identifier: ISC */
#include "provisioner/url.h"

#include "common/text.h"
#include "dseries/mac.h"
#include "provisioner/route.h"

#include <arpa/inet.h>
#include <libxml/uri.h>
#include <string.h>

#define BASE_MAX 1024
#define HOST_MAX 255 /* RFC 1035 section 2.3.4 */

/* What was found, fit for a message: a base with a '@' or a '?' may hold a secret. */
static const char *
base_shown(const char *base, char *out, size_t size)
{
	return strpbrk(base, "@?") != NULL ? "(hidden)" : text_printable(base, out, size);
}

static int
refuse(const char *base, const char *expected, struct err *e)
{
	char shown[128];

	return err_set(e, ERR_INPUT, "base URL: expected %s, as in http://192.0.2.1:8080/phones, found \"%s\"",
	    expected, base_shown(base, shown, sizeof(shown)));
}

static bool
host_good(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	char bare[INET6_ADDRSTRLEN];
	size_t len = strlen(host);

	if (host[0] == '[') {
		if (len < 2 || len - 2 >= sizeof(bare))
			return false;
		memcpy(bare, host + 1, len - 2);
		bare[len - 2] = '\0';
		return inet_pton(AF_INET6, bare, address) == 1;
	}
	return len > 0 && len <= HOST_MAX &&
	       strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") == len;
}

/* cURL folds "." and ".." away before it asks, so such a path would never match a route; an empty one is a slip. */
static bool
path_good(const char *path)
{
	while (*path == '/') {
		size_t len = strcspn(++path, "/");

		if ((len == 0 && path[0] == '/') || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += len;
	}
	return *path == '\0';
}

static int
check_parts(const char *base, const xmlURI *uri, struct err *e)
{
	const char *behind_host;

	if (uri->scheme == NULL || (strcmp(uri->scheme, "http") != 0 && strcmp(uri->scheme, "https") != 0))
		return refuse(base, "http:// or https:// in front", e);
	if (uri->user != NULL)
		return refuse(base, "no user or password (each phone gets its own)", e);
	if (uri->server == NULL || !host_good(uri->server))
		return refuse(base, "a host name or address", e);
	if (uri->query_raw != NULL || uri->fragment != NULL)
		return refuse(base, "nothing behind the path", e);
	/* The parser gives 0 for both ":0" and no port. */
	behind_host = base + strlen(uri->scheme) + strlen("://") + strlen(uri->server);
	if (*behind_host == ':' && (uri->port < 1 || uri->port > 65535))
		return refuse(base, "a port from 1 to 65535", e);
	if (uri->path != NULL && !path_good(uri->path))
		return refuse(base, "a path without empty, \".\" or \"..\" parts", e);
	return 0;
}

/* The parts of a base that is good, raw; NULL with e filled otherwise. The caller frees them with xmlFreeURI(). */
static xmlURIPtr
base_parse(const char *base, struct err *e)
{
	xmlURIPtr uri = NULL;

	if (strlen(base) > BASE_MAX) {
		(void)err_set(e, ERR_INPUT, "base URL: expected at most %d bytes, found %zu", BASE_MAX, strlen(base));
		return NULL;
	}
	uri = xmlParseURIRaw(base, 1);
	if (uri == NULL) {
		(void)refuse(base, "a URL (RFC 3986)", e);
		return NULL;
	}
	if (check_parts(base, uri, e) != 0) {
		xmlFreeURI(uri);
		return NULL;
	}
	return uri;
}

int
url_check_base(const char *base, struct err *e)
{
	xmlURIPtr uri = base_parse(base, e);

	if (uri == NULL)
		return -1;
	xmlFreeURI(uri);
	return 0;
}

/* Bytes of the base without the '/' at its end. */
static size_t
base_len(const char *base)
{
	size_t len = strlen(base);

	return base[len - 1] == '/' ? len - 1 : len;
}

int
url_login(const char *base, const char *user, const char *password, struct buf *out, struct err *e)
{
	const char *host;

	if (url_check_base(base, e) != 0)
		return -1;
	host = strstr(base, "://") + strlen("://");
	buf_add(out, base, (size_t)(host - base));
	if (user != NULL) {
		text_percent_encode(out, user);
		buf_add_string(out, ":");
		text_percent_encode(out, password != NULL ? password : "");
		buf_add_string(out, "@");
	}
	buf_add(out, host, base_len(host));
	buf_add_string(out, "/");
	return buf_check(out, "URL", e);
}

int
url_bundle(const char *base, const char *user, const char *password, const char *md5, const char *mac, struct buf *out,
    struct err *e)
{
	if (!text_is_hex(md5, ROUTE_MD5_SIZE - 1) || !text_is_hex(mac, MAC_SIZE - 1))
		return err_set(e, ERR_INPUT, "bundle's URL: expected an md5 and a MAC in lower-case hex, found others");
	if (url_login(base, user, password, out, e) != 0)
		return -1;
	buf_add_string(out, "ovpn/");
	buf_add_string(out, md5);
	buf_add_string(out, "/");
	buf_add_string(out, mac);
	buf_add_string(out, ".ovpn");
	return buf_check(out, "bundle's URL", e);
}

int
url_base_path(const char *base, struct buf *out, struct err *e)
{
	xmlURIPtr uri = base_parse(base, e);

	if (uri == NULL)
		return -1;
	if (uri->path != NULL && uri->path[0] != '\0')
		buf_add(out, uri->path, base_len(uri->path));
	xmlFreeURI(uri);
	return buf_check(out, "base URL's path", e);
}
