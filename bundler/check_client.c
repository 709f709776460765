/* SPDX-License-Identifier: ISC */
#include "bundler/check_client.h"

#include "ca/pem.h"
#include "common/text.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* Defaults of 2.3.2: init_options() in options.c. */
#define CIPHER_DEFAULT "BF-CBC"
#define AUTH_DEFAULT "SHA1"
#define PORT_DEFAULT 1194
#define PORT_MAX 65535

#define STATIC_KEY_BEGIN "-----BEGIN OpenVPN Static key V1-----"

static const char *
word_or(const struct config *c, const char *name, const char *otherwise)
{
	const char *value = config_word(config_find(c, name), 1);

	return value != NULL ? value : otherwise;
}

static unsigned int
port_read(const char *s, unsigned int otherwise)
{
	unsigned long port = otherwise;

	if (s != NULL && text_number(s, 1, PORT_MAX, "port", &port, NULL) != 0)
		return 0;
	return (unsigned int)port;
}

static void
proto_read(const char *s, struct client_remote *r)
{
	if (s == NULL)
		return;
	r->tcp = strncmp(s, "tcp", 3) == 0;
	r->ipv6 = strchr(s, '6') != NULL;
}

/* "remote host [port] [proto]", where the directives of the same scope say the rest, wherever they stand. */
static void
remotes_read(const struct config *c, const struct client_remote *otherwise, struct client_side *ret)
{
	struct client_remote scope = *otherwise;
	const struct config_line *line = NULL;

	proto_read(word_or(c, "proto", NULL), &scope);
	scope.port = port_read(word_or(c, "rport", word_or(c, "port", NULL)), otherwise->port);
	while ((line = config_next(c, line, "remote")) != NULL && ret->remote_count < CLIENT_REMOTES_MAX) {
		struct client_remote r = scope;

		if (line->words < 2 || text_copy(r.host, sizeof(r.host), line->word[1], "remote", NULL) != 0)
			continue;
		r.port = port_read(config_word(line, 2), scope.port);
		proto_read(config_word(line, 3), &r);
		ret->remote[ret->remote_count++] = r;
	}
}

static bool
fragments(const struct config *c)
{
	const struct config_line *line = config_find(c, "fragment");
	const char *bytes = config_word(line, 1);

	return line != NULL && (bytes == NULL || strtol(bytes, NULL, 10) != 0);
}

/* With <connection> blocks the remotes outside of them do not count. */
static int
connections_read(const struct config *c, struct client_side *ret, struct err *e)
{
	const struct client_remote otherwise = { .port = PORT_DEFAULT };
	struct client_remote outside = otherwise;
	const struct config_line *line = NULL;

	if (config_next(c, NULL, "connection") == NULL) {
		remotes_read(c, &otherwise, ret);
		return 0;
	}
	proto_read(word_or(c, "proto", NULL), &outside);
	outside.port = port_read(word_or(c, "rport", word_or(c, "port", NULL)), PORT_DEFAULT);
	while ((line = config_next(c, line, "connection")) != NULL) {
		struct config inner = { 0 };
		int rc = line->content == NULL ? 0 : config_read(line->content, line->content_len, &inner, e);

		if (rc == 0)
			remotes_read(&inner, &outside, ret);
		ret->fragment = ret->fragment || fragments(&inner);
		config_release(&inner);
		if (rc != 0)
			return err_prefix(e, "<connection>");
	}
	return 0;
}

bool
client_static_key(const char *text, unsigned char ret_key[CLIENT_STATIC_KEY_SIZE])
{
	char hex[2 * CLIENT_STATIC_KEY_SIZE + 1];
	const char *at = strstr(text, STATIC_KEY_BEGIN);
	size_t len = 0;
	bool ok;

	if (at == NULL)
		return false;
	for (at += strlen(STATIC_KEY_BEGIN); *at != '\0' && *at != '-' && len < sizeof(hex) - 1; at++)
		if (strchr(" \t\r\n", *at) == NULL)
			hex[len++] = *at;
	hex[len] = '\0';
	ok = len == sizeof(hex) - 1 && text_unhex(hex, ret_key, CLIENT_STATIC_KEY_SIZE);
	OPENSSL_cleanse(hex, sizeof(hex));
	return ok;
}

/* "tls-auth [inline] 1", or <tls-auth> and key-direction. */
static void
tls_auth_read(const struct config *c, struct client_side *ret)
{
	const char *direction = word_or(c, "key-direction", NULL);
	const struct config_line *line = NULL;

	ret->key_direction = -1;
	while ((line = config_next(c, line, "tls-auth")) != NULL) {
		ret->tls_auth = true;
		if (line->content != NULL)
			ret->has_tls_auth_key = client_static_key(line->content, ret->tls_auth_key);
		else if (line->words > 2)
			direction = line->word[2];
	}
	if (direction != NULL && (strcmp(direction, "0") == 0 || strcmp(direction, "1") == 0))
		ret->key_direction = direction[0] - '0';
}

/*
 * What remote-cert-tls stands for in 2.3.2, and remote-cert-ku and remote-cert-eku say themselves: each overwrites what
 * it has a value for, and leaves what stands behind (add_option() in options.c).
 */
static void
usage_read(const struct config *c, struct client_side *ret)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct config_line *line = &c->line[i];
		const char *name = config_word(line, 0), *value = config_word(line, 1);

		if (name == NULL || value == NULL)
			continue;
		if (strcmp(name, "remote-cert-tls") == 0 && strcmp(value, "server") == 0) {
			ret->key_usage[0] = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
			ret->key_usage[1] = KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT;
			ret->purpose = "TLS Web Server Authentication";
		} else if (strcmp(name, "remote-cert-ku") == 0) {
			for (size_t w = 1; w < line->words; w++)
				ret->key_usage[w - 1] = (uint32_t)strtoul(line->word[w], NULL, 16);
		} else if (strcmp(name, "remote-cert-eku") == 0) {
			ret->purpose = value;
		}
	}
}

static void
name_read(const struct config *c, struct client_side *ret)
{
	const struct config_line *line = config_find(c, "verify-x509-name");
	const char *kind = config_word(line, 2);

	ret->name = config_word(line, 1);
	if (ret->name != NULL && kind != NULL && strcmp(kind, "name") == 0)
		ret->name_kind = CLIENT_NAME_COMMON;
	else if (ret->name != NULL && kind != NULL && strcmp(kind, "name-prefix") == 0)
		ret->name_kind = CLIENT_NAME_PREFIX;
	else if (ret->name != NULL)
		ret->name_kind = CLIENT_NAME_SUBJECT;
	else if ((ret->name = word_or(c, "tls-remote", NULL)) != NULL)
		ret->name_kind = CLIENT_NAME_TLS_REMOTE;
}

static void
directives_read(const struct config *c, struct client_side *ret)
{
	const char *dev = word_or(c, "dev-type", word_or(c, "dev", "tun")), *lzo = word_or(c, "comp-lzo", NULL);
	const char *netscape = word_or(c, "ns-cert-type", ""), *mtu = word_or(c, "tun-mtu", NULL);

	ret->tap = strncmp(dev, "tap", 3) == 0;
	ret->cipher = word_or(c, "cipher", CIPHER_DEFAULT);
	ret->auth = word_or(c, "auth", AUTH_DEFAULT);
	ret->framing = config_find(c, "comp-lzo") != NULL;
	ret->compresses = ret->framing && (lzo == NULL || strcmp(lzo, "no") != 0);
	ret->tls_cipher = word_or(c, "tls-cipher", NULL);
	ret->ns_cert_type = strcmp(netscape, "server") == 0;
	ret->fragment = fragments(c);
	ret->no_replay = config_find(c, "no-replay") != NULL;
	ret->no_iv = config_find(c, "no-iv") != NULL;
	ret->subnet = strcmp(word_or(c, "topology", ""), "subnet") == 0;
	if (mtu != NULL && text_number(mtu, 1, PORT_MAX, "tun-mtu", &ret->tun_mtu, NULL) != 0)
		ret->tun_mtu = 0;
	ret->pings = config_find(c, "keepalive") != NULL ||
	             (config_find(c, "ping") != NULL && config_find(c, "ping-restart") != NULL);
}

static int
certificates_read(const struct config *c, struct client_side *ret, struct err *e)
{
	const struct config_line *ca = config_find(c, "ca"), *cert = config_find(c, "cert");

	ret->cas = ca == NULL || ca->content == NULL ? sk_X509_new_null()
	                                             : ca_pem_certs(ca->content, ca->content_len, "<ca>", e);
	ret->chain = cert == NULL || cert->content == NULL
	                 ? sk_X509_new_null()
	                 : ca_pem_certs(cert->content, cert->content_len, "<cert>", e);
	if (ret->cas == NULL || ret->chain == NULL)
		return -1;
	ret->cert = sk_X509_shift(ret->chain);
	return 0;
}

int
client_side_read(const struct config *c, struct client_side *ret, struct err *e)
{
	*ret = (struct client_side){ 0 };
	directives_read(c, ret);
	tls_auth_read(c, ret);
	usage_read(c, ret);
	name_read(c, ret);
	if (connections_read(c, ret, e) != 0)
		return -1;
	return certificates_read(c, ret, e);
}

void
client_side_release(struct client_side *c)
{
	sk_X509_pop_free(c->cas, X509_free);
	sk_X509_pop_free(c->chain, X509_free);
	X509_free(c->cert);
	OPENSSL_cleanse(c, sizeof(*c));
}
