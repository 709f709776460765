/* SPDX-License-Identifier: ISC */
#include "phone/limits.h"

#include "common/text.h"
#include "dseries/cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CIPHER_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
#define CANNOT_PROVE "the phone may connect, and this machine cannot prove it"

__attribute__((format(printf, 2, 3))) static void
note(struct limits *l, const char *fmt, ...)
{
	va_list ap;

	if (l->note_count >= LIMITS_NOTES_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(l->notes[l->note_count++], LIMITS_NOTE_SIZE, fmt, ap);
	va_end(ap);
}

static void
list_add(struct limits_list *list, const char *name)
{
	if (list->count < LIMITS_LIST_MAX)
		list->name[list->count++] = name;
}

static const char *
list_find(const struct limits_list *list, const char *name, size_t len)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strlen(list->name[i]) == len && strncasecmp(list->name[i], name, len) == 0)
			return list->name[i];
	}
	return NULL;
}

/* "A, B"; OpenVPN's own lists are joined by ":". */
static void
list_join(const struct limits_list *list, const char *between, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++)
		buf_addf(out, "%s%s", i > 0 ? between : "", list->name[i]);
}

/* ---- what OpenSSL offers ---- */

/* All suites for TLS 1.0 of OpenSSL's cipher list, in its order. NULL when there are none. */
static STACK_OF(SSL_CIPHER) * suites_get1(const char *cipher_list)
{
	OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
	SSL_CTX *ctx = lib != NULL ? SSL_CTX_new_ex(lib, NULL, TLS_client_method()) : NULL;
	STACK_OF(SSL_CIPHER) *suites = NULL;
	SSL *ssl = NULL;

	if (ctx != NULL && SSL_CTX_set_cipher_list(ctx, cipher_list) == 1 &&
	    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_VERSION) == 1)
		ssl = SSL_new(ctx);
	/* The suites themselves are OpenSSL's constants, and outlive all this. */
	if (ssl != NULL)
		suites = SSL_get1_supported_ciphers(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	OSSL_LIB_CTX_free(lib);
	ERR_clear_error();
	return suites;
}

static void
look_control(const struct model *m, const struct firmware *f, const STACK_OF(SSL_CIPHER) * suites,
    struct limits_offer *ret)
{
	struct limits_list page = { .count = 0 };

	for (size_t i = 0; cipher_control_at(i) != NULL; i++)
		list_add(&page, cipher_control_at(i));
	for (size_t i = 0; cipher_control_before_2_3_9_at(i) != NULL; i++) {
		if (cipher_control_support(m, f, cipher_control_before_2_3_9_at(i)) != CIPHER_NO)
			list_add(&page, cipher_control_before_2_3_9_at(i));
	}
	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i));
		const char *listed = list_find(&page, name, strlen(name));

		if (listed != NULL)
			list_add(&ret->control, listed);
	}
	for (size_t i = 0; i < page.count; i++) {
		if (list_find(&ret->control, page.name[i], strlen(page.name[i])) == NULL)
			list_add(&ret->control_missing, page.name[i]);
	}
}

static bool
data_fetch(OSSL_LIB_CTX *lib, const char *name, const char *provider)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(lib, name, provider);
	bool found = cipher != NULL;

	EVP_CIPHER_free(cipher);
	return found;
}

static int
look_data(struct limits_offer *ret, struct err *e)
{
	OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *usual = lib != NULL ? OSSL_PROVIDER_load(lib, "default") : NULL;
	OSSL_PROVIDER *legacy = usual != NULL ? OSSL_PROVIDER_load(lib, "legacy") : NULL;
	int rc = -1;

	if (usual == NULL) {
		err_openssl(e, ERR_FAILED, "OpenSSL: expected its default provider, found none");
		goto out;
	}
	for (size_t i = 0; cipher_data_at(i) != NULL; i++) {
		const char *name = cipher_data_at(i);

		if (data_fetch(lib, name, "provider=default"))
			list_add(&ret->data, name);
		else if (legacy != NULL && data_fetch(lib, name, "provider=legacy"))
			list_add(&ret->data_legacy, name);
		else
			list_add(&ret->data_missing, name);
	}
	rc = 0;
out:
	if (legacy != NULL)
		(void)OSSL_PROVIDER_unload(legacy);
	if (usual != NULL)
		(void)OSSL_PROVIDER_unload(usual);
	OSSL_LIB_CTX_free(lib);
	ERR_clear_error();
	return rc;
}

int
limits_look(const struct model *m, const struct firmware *f, struct limits_offer *ret, struct err *e)
{
	struct limits_offer offer = { .control = { .count = 0 } };
	STACK_OF(SSL_CIPHER) *suites = suites_get1("ALL:@SECLEVEL=0");

	look_control(m, f, suites, &offer);
	sk_SSL_CIPHER_free(suites);
	if (look_data(&offer, e) != 0)
		return -1;
	*ret = offer;
	return 0;
}

/* ---- what of it the bundle asks for ---- */

/* The page's suites by the names that OpenVPN since 2.3 has for them: tls_cipher_name_translation_table in its ssl.c. */
static const char *const iana[][2] = {
	{ "TLS-RSA-WITH-RC4-128-SHA", "RC4-SHA" },
	{ "TLS-RSA-WITH-RC4-128-MD5", "RC4-MD5" },
	{ "TLS-RSA-WITH-DES-CBC-SHA", "DES-CBC-SHA" },
	{ "TLS-RSA-WITH-3DES-EDE-CBC-SHA", "DES-CBC3-SHA" },
	{ "TLS-RSA-WITH-AES-128-CBC-SHA", "AES128-SHA" },
	{ "TLS-RSA-WITH-AES-256-CBC-SHA", "AES256-SHA" },
	{ "TLS-RSA-WITH-CAMELLIA-128-CBC-SHA", "CAMELLIA128-SHA" },
	{ "TLS-RSA-WITH-CAMELLIA-256-CBC-SHA", "CAMELLIA256-SHA" },
	{ "TLS-RSA-WITH-SEED-CBC-SHA", "SEED-SHA" },
	{ "TLS-ECDHE-RSA-WITH-RC4-128-SHA", "ECDHE-RSA-RC4-SHA" },
	{ "TLS-ECDHE-RSA-WITH-3DES-EDE-CBC-SHA", "ECDHE-RSA-DES-CBC3-SHA" },
	{ "TLS-ECDHE-RSA-WITH-AES-128-CBC-SHA", "ECDHE-RSA-AES128-SHA" },
	{ "TLS-ECDHE-RSA-WITH-AES-256-CBC-SHA", "ECDHE-RSA-AES256-SHA" },
};

/* One element of tls-cipher by OpenSSL's name: translated, or as it is. */
static void
translate(const char *element, size_t len, char out[CLIENT_LINE_MAX + 1])
{
	(void)snprintf(out, CLIENT_LINE_MAX + 1, "%.*s", (int)len, element);
	for (size_t i = 0; i < sizeof(iana) / sizeof(iana[0]); i++) {
		if (strcmp(iana[i][0], out) == 0)
			(void)snprintf(out, CLIENT_LINE_MAX + 1, "%s", iana[i][1]);
	}
}

/* Of cipher_aliases[] in OpenSSL 1.0's ssl_ciph.c, and DEFAULT. */
static bool
is_group(const char *name, size_t len)
{
	static const char *const groups[] = { "ALL", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT", "DEFAULT", "kRSA",
		"kDHr", "kDHd", "kDH", "kEDH", "DH", "kECDHr", "kECDHe", "kECDH", "kEECDH", "ECDH", "kPSK", "kSRP",
		"kGOST", "kKRB5", "aRSA", "aDSS", "DSS", "aKRB5", "aNULL", "aDH", "aECDH", "aECDSA", "ECDSA", "aPSK",
		"aGOST94", "aGOST01", "aGOST", "EDH", "EECDH", "NULL", "KRB5", "RSA", "ADH", "AECDH", "PSK", "SRP",
		"DES", "3DES", "RC4", "RC2", "IDEA", "SEED", "eNULL", "AES128", "AES256", "AES", "AESGCM",
		"CAMELLIA128", "CAMELLIA256", "CAMELLIA", "MD5", "SHA1", "SHA", "GOST94", "GOST89MAC", "SHA256",
		"SHA384", "SSLv2", "SSLv3", "TLSv1", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "LOW", "MEDIUM", "HIGH",
		"FIPS" };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (strlen(groups[i]) == len && memcmp(groups[i], name, len) == 0)
			return true;
	}
	return false;
}

/*
 * A group ("HIGH"), several ("RSA+AES"), or a command: no suite's name, all of which are words joined by hyphens. A sign in
 * front takes away, or puts last. What is neither is passed over: "no cipher match" where there is nothing else.
 */
static bool
is_rule(const char *element)
{
	const char *at = element + strspn(element, "!-+");

	if (*at == '@' || (at > element && strchr(at, '-') != NULL))
		return true;
	for (;; at++) {
		size_t len = strcspn(at, "+");

		if (!is_group(at, len))
			return strchr(element, '+') != NULL && strchr(element, '-') != NULL;
		at += len;
		if (*at == '\0')
			return true;
	}
}

struct wanted {
	struct buf openssl;               /* tls-cipher with all names translated */
	struct limits_list have, missing; /* by name */
	bool rule;                        /* one of its elements is */
	bool adds;                        /* one of them adds ciphers, and does not only take away or sort */
};

/* OpenSSL 1.0 tells upper from lower case. */
static const char *
suite_find(const struct limits_list *list, const char *name)
{
	const char *found = list_find(list, name, strlen(name));

	return found != NULL && strcmp(found, name) == 0 ? found : NULL;
}

static void
wanted_read(struct wanted *w, const struct limits_offer *offer, const char *tls_cipher)
{
	for (const char *at = tls_cipher; *at != '\0';) {
		size_t len = strcspn(at, ":");
		char name[CLIENT_LINE_MAX + 1];
		const char *have, *missing;

		translate(at, len, name);
		have = suite_find(&offer->control, name);
		missing = suite_find(&offer->control_missing, name);
		if (have != NULL && list_find(&w->have, have, strlen(have)) == NULL)
			list_add(&w->have, have);
		if (missing != NULL && list_find(&w->missing, missing, strlen(missing)) == NULL)
			list_add(&w->missing, missing);
		w->rule = w->rule || (len > 0 && is_rule(name));
		w->adds = w->adds || have != NULL || missing != NULL ||
		          (len > 0 && is_rule(name) && strchr("!-+@", name[0]) == NULL);
		buf_addf(&w->openssl, "%s%s", w->openssl.len > 0 ? ":" : "", name);
		at += len + (at[len] == ':');
	}
}

/* A rule ("HIGH:!CAMELLIA") is OpenSSL's to work out; of suites that it lacks nobody can say what the rule does. */
static void
apply_rule(const struct limits_offer *offer, const struct buf *openssl, struct limits *ret)
{
	struct buf list = BUF_INIT(1024);
	STACK_OF(SSL_CIPHER) * suites;

	buf_addf(&list, "%s:@SECLEVEL=0", buf_string(openssl));
	suites = suites_get1(buf_string(&list));
	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i));
		const char *have = list_find(&offer->control, name, strlen(name));

		if (have != NULL)
			list_add(&ret->control, have);
	}
	ret->control_missing = offer->control_missing;
	sk_SSL_CIPHER_free(suites);
	buf_release(&list);
}

static int
apply_control(const struct limits_offer *offer, const struct ovpn *o, struct limits *ret, struct err *e)
{
	struct wanted w = { .openssl = BUF_INIT(1024) };
	struct buf text = BUF_INIT(1024);
	int rc = 0;

	wanted_read(&w, offer, o->tls_cipher);
	if (o->tls_cipher[0] == '\0') {
		ret->control = offer->control;
		ret->control_missing = offer->control_missing;
	} else if (w.rule && w.adds) {
		apply_rule(offer, &w.openssl, ret);
	} else {
		ret->control = w.have;
		ret->control_missing = w.missing;
	}
	if (ret->control.count == 0 && ret->control_missing.count == 0) {
		rc = err_set(e, ERR_INTEGRITY,
		    "tls-cipher: expected one of the control-channel ciphers of the vendor's page "
		    "(ECDHE-RSA-AES256-SHA), found none: the phone cannot connect");
	} else if (ret->control.count == 0) {
		list_join(&ret->control_missing, ", ", &text);
		rc = err_set(e, ERR_FAILED,
		    "control-channel ciphers: expected one that the installed OpenSSL has, found only %s; " CANNOT_PROVE,
		    buf_string(&text));
	}
	buf_release(&w.openssl);
	buf_release(&text);
	return rc;
}

static int
apply_data(const struct limits_offer *offer, const struct ovpn *o, struct limits *ret, struct err *e)
{
	size_t len = strlen(o->cipher);
	char shown[64];

	ret->legacy = list_find(&offer->data_legacy, o->cipher, len) != NULL;
	if (ret->legacy || list_find(&offer->data, o->cipher, len) != NULL || strcmp(o->cipher, "none") == 0)
		return 0;
	/* A D80's, of which the page says nothing: openvpn itself will say. It goes into a line, so no blanks or quotes. */
	if (list_find(&offer->data_missing, o->cipher, len) == NULL && strspn(o->cipher, CIPHER_LETTERS) == len) {
		note(ret, "cipher: not one of the page's; openvpn is given it as it is");
		return 0;
	}
	return err_set(e, ERR_FAILED,
	    "cipher: expected a data-channel cipher that the installed OpenSSL has, found %s; " CANNOT_PROVE,
	    text_printable(o->cipher, shown, sizeof(shown)));
}

/* In OpenVPN the last line of a kind counts: these win over the bundle's own. */
static void
write_config(const struct ovpn *o, struct limits *ret)
{
	buf_add(&ret->config, o->effective.data, o->effective.len);
	buf_add_string(&ret->config, "tls-version-min 1.0\ntls-version-max 1.0\ntls-cipher ");
	list_join(&ret->control, ":", &ret->config);
	/* The level that keeps TLS 1.0 from working is younger than the phone's OpenSSL. */
	buf_add_string(&ret->config, ":@SECLEVEL=0\n");
	/* The phone does not negotiate: it has this one, also where the server says nothing of it. */
	buf_addf(&ret->config, "data-ciphers %s\ndata-ciphers-fallback %s\n", o->cipher, o->cipher);
	if (ret->legacy)
		buf_add_string(&ret->config, "providers legacy default\n");
	/*
	 * 2.3.2 wants the key usage to be one of these two exactly; in 2.6 remote-cert-tls takes any, and this line one
	 * of the two with more beside it: a server certificate with more than that is not told apart here.
	 */
	if (o->remote_cert_tls)
		buf_add_string(&ret->config, "remote-cert-ku a0 88\n");
}

int
limits_apply(const struct limits_offer *offer, const struct model *m, const struct ovpn *o, struct limits *ret,
    struct err *e)
{
	struct limits l = { .config = BUF_INIT(OVPN_MAX + (8 << 10)) };

	if (apply_control(offer, o, &l, e) != 0 || apply_data(offer, o, &l, e) != 0)
		return -1;
	if (m->ciphers_may_differ)
		note(&l,
		    "a %s may support other ciphers than the page lists; openvpn is held to the list of the D6x here",
		    m->name);
	write_config(o, &l);
	if (buf_check(&l.config, "configuration for openvpn", e) != 0) {
		limits_release(&l);
		return -1;
	}
	*ret = l;
	return 0;
}

void
limits_release(struct limits *l)
{
	buf_release(&l->config);
}
