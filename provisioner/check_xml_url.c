/* SPDX-License-Identifier: ISC */
#include "provisioner/check_xml_internal.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define USERINFO UNRESERVED "!$&'()*+,;=:" /* RFC 3986 section 3.2.1, without pct-encoded */
#define URL_MAX 8192
#define HEX "0123456789ABCDEFabcdef"

int
check_network_parse(const char *s, const char *what, struct cidr *ret, struct err *e)
{
	char shown[64];

	if (!cidr_scan(s, ret))
		return err_set(e, ERR_INPUT, "%s: expected an IPv4 network as 10.8.0.0/16, found \"%s\"", what,
		    text_printable(s, shown, sizeof(shown)));
	return 0;
}

/* What stands in the brackets, without a zone (RFC 6874). */
static bool
address6_read(const char *host, struct in6_addr *ret)
{
	char bare[INET6_ADDRSTRLEN];
	size_t len;

	if (*host++ != '[' || (len = strcspn(host, "%]")) >= sizeof(bare))
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	return inet_pton(AF_INET6, bare, ret) == 1;
}

/*
 * The IPv4 address that a host stands for, host byte order. cURL 7.88 reads what inet_aton() does, as 10.8.1 and
 * 0x0a080001, and a socket takes the IPv6 form of one (RFC 4291 section 2.5.5.2) for it.
 */
static bool
address_read(const char *host, uint32_t *ret)
{
	struct in6_addr six;
	struct in_addr four;

	if (address6_read(host, &six) && IN6_IS_ADDR_V4MAPPED(&six))
		memcpy(&four, &six.s6_addr[12], sizeof(four));
	else if (inet_aton(host, &four) != 1)
		return false;
	*ret = ntohl(four.s_addr);
	return true;
}

static bool
network_has(const struct cidr *n, const char *host)
{
	uint32_t address;

	return address_read(host, &address) && cidr_has(n, address);
}

static bool
is_loopback(const char *host)
{
	uint32_t address;
	struct in6_addr six;

	if (address_read(host, &address))
		return address >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET || address == INADDR_ANY;
	if (address6_read(host, &six))
		return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six);
	return strcasecmp(host, "localhost") == 0;
}

/* The ':' behind the host, or NULL; *ret_len: of the number behind it. */
static const char *
port_find(const char *url, size_t *ret_len)
{
	const char *begin = strstr(url, "://"), *end, *host, *colon;

	if (begin == NULL)
		return NULL;
	begin += strlen("://");
	end = begin + strcspn(begin, "/?#");
	host = memrchr(begin, '@', (size_t)(end - begin));
	host = host != NULL ? host : begin;
	colon = memrchr(host, ':', (size_t)(end - host));
	if (colon == NULL || memchr(colon, ']', (size_t)(end - colon)) != NULL)
		return NULL;
	*ret_len = (size_t)(end - colon - 1);
	return colon;
}

void
check_url_free(xmlURIPtr uri)
{
	if (uri != NULL && uri->user != NULL)
		OPENSSL_cleanse(uri->user, strlen(uri->user));
	xmlFreeURI(uri);
}

/* What RFC 3986 has percent-encoded, and cURL takes as it stands. */
static bool
is_bare(const char *p)
{
	if (*p == '%')
		return strspn(p + 1, HEX) < 2;
	return (unsigned char)*p >= 0x80 || strchr("\"<>\\^`{|}[]", *p) != NULL;
}

/*
 * A URL with that encoded, for what else is in it to be looked at, and without a ':' that no port follows: it is one
 * (RFC 3986 section 3.2.3), but libxml2 takes none.
 */
static xmlURIPtr
read_bare(const char *url, bool *ret_bare)
{
	const char *begin = strstr(url, "://"), *end, *host, *colon;
	struct buf encoded = BUF_INIT(URL_MAX);
	xmlURIPtr uri = NULL;
	size_t port = 0;

	if (begin == NULL)
		return NULL;
	begin += strlen("://");
	end = begin + strcspn(begin, "/?#");
	host = memrchr(begin, '@', (size_t)(end - begin));
	host = host != NULL ? host : begin;
	colon = port_find(url, &port);
	for (const char *p = url; *p != '\0'; p++) {
		bool bare = (p < host || p >= end) && is_bare(p);

		*ret_bare = *ret_bare || bare;
		if (bare)
			text_percent_encode(&encoded, (char[]){ *p, '\0' });
		else if (p != colon || port > 0)
			buf_add(&encoded, p, 1);
	}
	if (!encoded.broken)
		uri = xmlParseURIRaw(buf_string(&encoded), 1);
	buf_release(&encoded);
	return uri;
}

/* What stands before the last '@' of a URL that is none is no userinfo of RFC 3986 section 3.2.1. */
static bool
login_is_bare(const char *url)
{
	const char *begin = strstr(url, "://"), *end = strrchr(url, '@');

	if (begin == NULL || end == NULL || end < begin)
		return false;
	for (const char *p = begin + 3; p < end; p++) {
		if (*p != '%' && !is_bare(p) && strchr(USERINFO, *p) == NULL)
			return true;
	}
	return false;
}

/*
 * "https://user:p@s/s@host/x" is a URL, and its host is "s". One word in front of an '@' is rather half of a login
 * than a host with an '@' in its path, which may stand there bare (RFC 3986 section 3.3).
 */
static bool
login_ends_early(const char *url, const xmlURI *uri)
{
	const char *host = strstr(url, "://") + strlen("://");

	return strchr(host + strcspn(host, "/?#"), '@') != NULL && strpbrk(uri->server, ".:") == NULL &&
	       strcasecmp(uri->server, "localhost") != 0;
}

/* As cURL 7.88 has it: names with other characters, and what is no address in brackets, are refused. */
static bool
host_is_good(const char *host)
{
	struct in6_addr address;

	if (host[0] != '[')
		return host[strcspn(host, "!$&'()*+,;=")] == '\0';
	return address6_read(host, &address);
}

/* What keeps cURL from taking a URL that could be read; NULL for nothing. */
static const char *
url_fault(const char *url, const xmlURI *uri)
{
	size_t digits = 0;

	if (uri->scheme == NULL)
		return "none of http:// and https:// in front";
	if (uri->server == NULL || uri->server[0] == '\0')
		return "no host";
	if (!host_is_good(uri->server))
		return "a host that is neither a name nor an address";
	if (uri->port > 65535)
		return "a port over 65535";
	if (uri->port == 0 && port_find(url, &digits) != NULL && digits > 0)
		return "port 0";
	if (uri->user != NULL && strstr(uri->user, "%00") != NULL)
		return "a NUL (%00) in user or password";
	return NULL;
}

/* NULL, with a finding, when it is no URL with a host. Nothing of it is shown: it may hold a password. */
static xmlURIPtr
read_url(const struct xml_check *c, const struct finding_place *place, const char *url)
{
	xmlURIPtr uri = xmlParseURIRaw(url, 1);
	const char *fault;
	bool bare = false;

	if (uri == NULL && (uri = read_bare(url, &bare)) != NULL && bare)
		FOUND(c, RULE_URL_BARE, place, "expected characters of RFC 3986 alone, found others");
	if (uri == NULL && login_is_bare(url)) {
		FOUND(c, RULE_URL_ENCODING, place,
		    "expected user and password percent-encoded, found a character that ends them");
		return NULL;
	}
	fault = uri == NULL ? "another text or character" : url_fault(url, uri);
	if (fault != NULL)
		FOUND(c, RULE_URL_SYNTAX, place, "expected a URL (RFC 3986) with a host, found %s", fault);
	else if (login_ends_early(url, uri))
		FOUND(c, RULE_URL_ENCODING, place,
		    "expected user and password percent-encoded, found an '@' behind what is taken for the host");
	else
		return uri;
	check_url_free(uri);
	return NULL;
}

static bool
scheme_is(const xmlURI *uri, const char *scheme)
{
	return strcasecmp(uri->scheme, scheme) == 0;
}

static void
check_login(const struct xml_check *c, const struct finding_place *place, const xmlURI *uri)
{
	const char *colon = uri->user == NULL ? NULL : strchr(uri->user, ':');

	if (uri->user == NULL || uri->user[0] == '\0')
		FOUND(c, RULE_URL_LOGIN, place, "expected a user and a password in the URL, found none");
	else if (colon == NULL || colon[1] == '\0' || colon == uri->user)
		FOUND(c, RULE_URL_LOGIN, place, "expected a user and a password in the URL, found %s alone",
		    colon == uri->user ? "a password" : "a user");
}

/* What holds for both URLs. */
static void
check_way(const struct xml_check *c, const struct finding_place *place, const xmlURI *uri)
{
	if (scheme_is(uri, "http"))
		FOUND(c, RULE_URL_CLEAR, place, "expected https, found http%s",
		    uri->user != NULL ? " with a password" : "");
	if (is_loopback(uri->server))
		FOUND(c, RULE_URL_LOOPBACK, place, "expected a host that a phone reaches, found %s", uri->server);
}

xmlURIPtr
check_url_bundle(const struct xml_check *c, const struct finding_place *place, const char *url)
{
	xmlURIPtr uri = read_url(c, place, url);

	if (uri == NULL)
		return NULL;
	if (!scheme_is(uri, "http") && !scheme_is(uri, "https"))
		FOUND(c, RULE_URL_SCHEME, place, "expected http or https, found %s", uri->scheme);
	check_way(c, place, uri);
	check_login(c, place, uri);
	if (network_has(&c->params->vpn, uri->server))
		FOUND(c, RULE_URL_IN_VPN, place, "expected a host outside of the VPN, found %s", uri->server);
	return uri;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

/* "[protocol://][user:pass@]server[:port][/path]", or "sip:proxy@server" of DPMA and Switchvox: not ours. */
xmlURIPtr
check_url_config(const struct xml_check *c, const struct finding_place *place, const char *url)
{
	xmlURIPtr uri = strstr(url, "://") == NULL ? NULL : read_url(c, place, url);

	if (uri == NULL)
		return NULL;
	if (!scheme_is(uri, "http") && !scheme_is(uri, "https") && !scheme_is(uri, "ftp") && !scheme_is(uri, "ftps"))
		FOUND(c, RULE_URL_SCHEME, place, "expected http, https, ftp or ftps, found %s", uri->scheme);
	check_way(c, place, uri);
	if (network_has(&c->params->vpn, uri->server))
		FOUND(c, RULE_CONFIG_IN_VPN, place, "expected a host outside of the VPN, found %s", uri->server);
	if (uri->query_raw != NULL || (uri->path != NULL && ends_with(uri->path, ".cfg")))
		FOUND(c, RULE_CONFIG_PATH, place, "expected a folder at its end, found %s",
		    uri->query_raw != NULL ? "a query" : "a .cfg file");
	return uri;
}
