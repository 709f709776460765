/* SPDX-License-Identifier: ISC */
#include "phone/ovpn_whole.h"

#include "phone/ovpn_argument.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define ENDS "; OpenVPN " CLIENT_VERSION " ends"

static long
argument(const struct ovpn_words *w, size_t at)
{
	return w->count > at ? ovpn_argument_number(w->word[at]) : 0;
}

static bool
is(const struct ovpn_words *w, const char *name)
{
	return ovpn_is(w->word[0], name);
}

static void
keep(char out[CLIENT_LINE_MAX + 1], const char *word)
{
	(void)snprintf(out, CLIENT_LINE_MAX + 1, "%s", word);
}

/* The tables for routes are made at the first, as long as max-routes says by then: rol_check_alloc() in options.c. */
static const char *
say_route(struct ovpn_whole *whole, const struct ovpn_words *w)
{
	if (is(w, "max-routes")) {
		if (whole->has_routes)
			return "max-routes: expected before the first route or redirect-gateway, found behind it" ENDS;
		whole->max_routes = (size_t)argument(w, 1);
		return NULL;
	}
	whole->has_routes = true;
	if ((is(w, "route") && ++whole->routes > whole->max_routes) ||
	    (is(w, "route-ipv6") && ++whole->routes6 > whole->max_routes))
		return "route: expected no more of them than max-routes says, which are 100 without it, found more" ENDS;
	return NULL;
}

const char *
ovpn_whole_say(struct ovpn_whole *whole, const struct ovpn_words *w)
{
	static const char *const routes[] = { "route", "route-ipv6", "redirect-gateway", "redirect-private",
		"max-routes" };

	for (size_t i = 0; i < COUNT(routes); i++) {
		if (is(w, routes[i]))
			return say_route(whole, w);
	}
	if (is(w, "allow-pull-fqdn"))
		whole->fqdn = true;
	else if (is(w, "remote-random-hostname") || (is(w, "setenv") && ovpn_is(w->word[1], "REMOTE_RANDOM_HOSTNAME")))
		whole->random_host = true;
	else if (is(w, "keepalive"))
		whole->keepalive = argument(w, 1) > 0;
	else if (is(w, "ping") || is(w, "ping-exit") || is(w, "ping-restart"))
		whole->ping = whole->ping || argument(w, 1) > 0;
	else if (is(w, "key-method"))
		whole->key_method_1 = argument(w, 1) == 1;
	else if (is(w, "lladdr"))
		whole->lladdr = true;
	else if (is(w, "keysize"))
		whole->keysize = argument(w, 1) / 8;
	else if (is(w, "dev"))
		keep(whole->dev, w->word[1]);
	else if (is(w, "dev-type"))
		keep(whole->dev_type, w->word[1]);
	return NULL;
}

/* is_dev_type() in tun.c: the type is the very word, and without one the name begins with it. */
static bool
is_dev(const struct ovpn_whole *whole, const char *type)
{
	return whole->dev_type[0] != '\0' ? ovpn_is(whole->dev_type, type)
	                                  : strncmp(whole->dev, type, strlen(type)) == 0;
}

static int
check_dev(const struct ovpn_whole *whole, struct err *e)
{
	if (!is_dev(whole, "tun") && !is_dev(whole, "tap") && !is_dev(whole, "null"))
		return err_set(e, ERR_INTEGRITY,
		    "%s: expected tun or tap, found another device; OpenVPN " CLIENT_VERSION
		    " ends with \"I don't recognize device\" when it has connected",
		    whole->dev_type[0] != '\0' ? "dev-type" : "dev");
	if (whole->lladdr && !is_dev(whole, "tap"))
		return err_set(e, ERR_INTEGRITY, "lladdr: expected with dev tap, found without" ENDS);
	return 0;
}

/*
 * Bytes of a key of fixed length, as OpenSSL 1.0 has it; 0: of any. cipher_ctx_init() in crypto_openssl.c ends with "EVP
 * set key size" when the keys are made, for EVP_CIPHER_CTX_set_key_length() takes another length of BF, CAST5 and RC2 only.
 */
static long
key_length(const char *cipher)
{
	static const struct {
		const char *begins;
		long bytes;
	} fixed[] = { { "AES-128-", 16 }, { "AES-192-", 24 }, { "AES-256-", 32 }, { "CAMELLIA-128-", 16 },
		{ "CAMELLIA-192-", 24 }, { "CAMELLIA-256-", 32 }, { "DES-CBC", 8 }, { "DES-EDE-", 16 },
		{ "DES-EDE3-", 24 }, { "DESX-", 24 }, { "SEED-", 16 } };

	for (size_t i = 0; i < COUNT(fixed); i++) {
		if (strncasecmp(cipher, fixed[i].begins, strlen(fixed[i].begins)) == 0)
			return fixed[i].bytes;
	}
	return 0;
}

int
ovpn_whole_check(const struct ovpn_whole *whole, bool client, const char *cipher, struct err *e)
{
	const long length = key_length(cipher);

	if (client && whole->key_method_1)
		return err_set(e, ERR_INTEGRITY, "key-method: expected 2, as client wants it, found 1" ENDS);
	if (whole->keepalive && whole->ping)
		return err_set(e, ERR_INTEGRITY,
		    "expected not both of keepalive and ping, ping-exit or ping-restart, found both" ENDS);
	if (whole->keysize > 0 && length > 0 && whole->keysize != length)
		return err_set(e, ERR_INTEGRITY,
		    "keysize: expected %ld bits, which all keys of %s have, found %ld; OpenVPN " CLIENT_VERSION
		    " ends with \"EVP set key size\" when it has connected",
		    length * 8, cipher, whole->keysize * 8);
	return check_dev(whole, e);
}
