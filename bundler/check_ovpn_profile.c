/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "dseries/client.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PEM_BEGIN "-----BEGIN "

/* Directives that take a file, which the phone can have inside only. */
static const char *const files[] = { "ca", "cert", "key", "tls-auth", "dh", "extra-certs", "pkcs12" };

static void
phone_check(const struct ovpn_check *ck)
{
	const struct model *m = ck->params->model;
	struct err why = ERR_INIT;

	if (m == NULL)
		return;
	if (model_check_openvpn(m, ck->params->firmware, &why) != 0)
		ovpn_found(ck, m->openvpn ? OVPN_FIRMWARE : OVPN_MODEL, 0, m->name, "%s", why.text);
	if (m->ciphers_may_differ)
		ovpn_found(ck, OVPN_D80, 0, m->name,
		    "expected to have the ciphers of the D6x, which the page does not say");
}

static void
bytes_check(const struct ovpn_check *ck, const struct config *c)
{
	if (c->bom)
		ovpn_found(ck, OVPN_BOM, 1, NULL, "expected text, found a byte order mark before it");
	if (c->cr_only)
		ovpn_found(ck, OVPN_CR_ONLY, 1, NULL, "expected lines that end with LF or CRLF, found CR alone");
	if (c->nul > 0)
		ovpn_found(ck, OVPN_NUL, c->nul, NULL, "expected text, found a NUL byte");
}

/* ---- blocks ---- */

static bool
block_is_taken(const struct config_line *line)
{
	const struct client_directive *d = client_directive_find(line->word[0]);

	return d != NULL && d->may_be_inline && !ovpn_names_file(d->name) &&
	       (d->kind == CLIENT_TAKES || d->kind == CLIENT_TAKES_2_3);
}

/* False when something is lost, and the rest need not be looked at. */
static bool
block_length_check(const struct ovpn_check *ck, const struct config_line *line, const char *tag)
{
	size_t kept = ovpn_block_kept(line);
	const char *lost = line->content + kept;
	bool matters;

	if (kept == line->content_len)
		return true;
	matters = memmem(lost, line->content_len - kept, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL;
	ovpn_found(ck, matters ? OVPN_BLOCK_CUT : OVPN_BLOCK_LONG, line->number, tag,
	    "expected at most %d bytes, found %zu, of which the phone's OpenVPN keeps %zu", CLIENT_BLOCK_MAX,
	    line->content_len, kept);
	return !matters;
}

static void
block_check(struct ovpn_check *ck, const struct config_line *line)
{
	const char *name = line->word[0];
	char tag[CLIENT_LINE_MAX + 4];

	(void)snprintf(tag, sizeof(tag), "<%s>", ovpn_is_directive_like(name) ? name : "(not shown)");
	if (!block_is_taken(line))
		ovpn_found(ck, OVPN_BLOCK_UNKNOWN, line->number, tag,
		    "expected a block that OpenVPN " CLIENT_VERSION " takes, found another");
	else if (!line->closed)
		ovpn_found(ck, OVPN_BLOCK_OPEN, line->number, tag, "expected </%s> behind it, found none", name);
	else if (line->close_indented)
		ovpn_found(ck, OVPN_BLOCK_INDENTED, line->number, tag,
		    "expected </%s> at the beginning of a line, found it behind blanks", name);
	else if (!block_length_check(ck, line, tag))
		return;
	else if (strcmp(name, "ca") == 0 || strcmp(name, "cert") == 0 || strcmp(name, "key") == 0)
		(void)ovpn_pem_check(ck, line, strcmp(name, "key") == 0);
	else if (strcmp(name, "tls-auth") == 0)
		ovpn_static_key_check(ck, line);
}

static void
lines_check(struct ovpn_check *ck, const struct config *c)
{
	unsigned int seen[COUNT(files)] = { 0 };

	for (size_t i = 0; i < c->count; i++) {
		const struct config_line *line = &c->line[i];

		if (line->content == NULL || line->fault != CONFIG_FINE) {
			ovpn_directive_check(ck, line);
			continue;
		}
		block_check(ck, line);
		for (size_t k = 0; k < COUNT(files); k++) {
			if (strcmp(files[k], line->word[0]) != 0)
				continue;
			if (seen[k] > 0)
				ovpn_found(ck, OVPN_BLOCK_TWICE, line->number, files[k],
				    "expected one block <%s>, found another in line %u, which this one replaces",
				    files[k], seen[k]);
			seen[k] = line->number;
		}
	}
}

/* ---- what the whole file lacks ---- */

static bool
says(const struct config *c, const char *name)
{
	return config_find(c, name) != NULL;
}

static void
files_check(const struct ovpn_check *ck, const struct config *c)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		const struct config_line *last = config_find(c, files[i]);

		if (last != NULL && last->content == NULL && last->words > 1)
			ovpn_found(ck, OVPN_NOT_INLINE, last->number, files[i],
			    "expected a block <%s> in the file, found the name of another file", files[i]);
	}
	if (!says(c, "ca") && !ovpn_ends_in_block(c))
		ovpn_found(ck, OVPN_BLOCK_MISSING, 0, "<ca>", "expected in the file, found no such block");
}

static void
dev_check(const struct ovpn_check *ck, const struct config *c)
{
	const struct config_line *dev = config_find(c, "dev");
	const char *name = config_word(dev, 1);

	if (dev == NULL)
		ovpn_found(ck, OVPN_DEV_MISSING, 0, "dev", "expected dev tun, found no such directive");
	else if (name != NULL && !says(c, "dev-type") && strncmp(name, "tun", 3) != 0 && strncmp(name, "tap", 3) != 0)
		ovpn_found(ck, OVPN_DEV, dev->number, "dev", "expected a name that begins with tun, found another");
}

static void
names_check(const struct ovpn_check *ck, const struct config *c)
{
	const struct config_line *name = config_find(c, "verify-x509-name");

	if (name != NULL && (says(c, "tls-remote") || says(c, "compat-names")))
		ovpn_found(ck, OVPN_CONFLICT, name->number, "verify-x509-name",
		    "expected not both of it and tls-remote or compat-names, found both");
}

static void
server_check(const struct ovpn_check *ck, const struct config *c)
{
	static const char *const checks[] = { "remote-cert-tls", "ns-cert-type", "remote-cert-eku", "remote-cert-ku",
		"verify-x509-name", "tls-remote", "verify-hash" };

	for (size_t i = 0; i < COUNT(checks); i++)
		if (says(c, checks[i]))
			return;
	ovpn_found(ck, OVPN_SERVER_UNCHECKED, 0, "remote-cert-tls",
	    "expected remote-cert-tls server, found no such check");
}

static void
tls_auth_check(const struct ovpn_check *ck, const struct config *c)
{
	const struct config_line *block = config_find(c, "tls-auth"), *at = NULL;
	bool direction = says(c, "key-direction");

	/* "tls-auth [inline] 1" says it, too. */
	while ((at = config_next(c, at, "tls-auth")) != NULL)
		direction = direction || config_word(at, 2) != NULL;
	if (block != NULL && !direction)
		ovpn_found(ck, OVPN_TLS_AUTH_DIRECTION, block->number, "tls-auth",
		    "expected key-direction 1, found none: it must be none on the server as well");
}

static void
defaults_check(const struct ovpn_check *ck, const struct config *c)
{
	if (config_word(config_find(c, "cipher"), 1) == NULL)
		ovpn_found(ck, OVPN_CIPHER_MISSING, 0, "cipher",
		    "expected cipher AES-256-CBC, found none: that is BF-CBC");
	if (config_word(config_find(c, "auth"), 1) == NULL)
		ovpn_found(ck, OVPN_AUTH_MISSING, 0, "auth", "expected auth SHA1 or SHA256, found none: that is SHA1");
	if (!says(c, "auth-retry"))
		ovpn_found(ck, OVPN_AUTH_RETRY, 0, "auth-retry", "expected auth-retry nointeract, found none");
}

/* init_key_type() in crypto.c, and OpenSSL: only some ciphers take keys of other sizes. */
static void
keysize_check(const struct ovpn_check *ck, const struct config *c)
{
	const struct config_line *line = config_find(c, "keysize"), *cipher = config_find(c, "cipher");
	const EVP_CIPHER *evp = EVP_get_cipherbyname(config_word(cipher, 1) != NULL ? cipher->word[1] : "BF-CBC");
	long bits = config_word(line, 1) == NULL ? 0 : strtol(line->word[1], NULL, 10);

	if (bits <= 0 || evp == NULL || (EVP_CIPHER_get_flags(evp) & EVP_CIPH_VARIABLE_LENGTH) != 0)
		return;
	if (bits != 8L * EVP_CIPHER_get_key_length(evp))
		ovpn_found(ck, OVPN_VALUE, line->number, "keysize", "expected %d bits for %s, found %ld",
		    8 * EVP_CIPHER_get_key_length(evp), cipher->word[1], bits);
}

static bool
is_on(const struct config *c, const char *name)
{
	const char *word = config_word(config_find(c, name), 1);

	return word != NULL && strtol(word, NULL, 10) > 0;
}

/* helper_keepalive() in helper.c. */
static void
keepalive_check(const struct ovpn_check *ck, const struct config *c)
{
	if (is_on(c, "keepalive") && (is_on(c, "ping") || is_on(c, "ping-exit") || is_on(c, "ping-restart")))
		ovpn_found(ck, OVPN_CONFLICT, config_find(c, "keepalive")->number, "keepalive",
		    "expected without ping, ping-exit and ping-restart, found with one of them");
}

bool
ovpn_says_nothing(const struct config *c)
{
	return !says(c, "client") && !says(c, "dev") && !says(c, "remote");
}

static void
whole_check(const struct ovpn_check *ck, const struct config *c)
{
	const struct config_line *ca = config_find(c, "ca");

	/* "client" is these two. */
	if (!says(c, "client") && !(says(c, "tls-client") && says(c, "pull")))
		ovpn_found(ck, OVPN_CLIENT_MISSING, 0, "client", "expected the directive, found none");
	dev_check(ck, c);
	files_check(ck, c);
	names_check(ck, c);
	tls_auth_check(ck, c);
	server_check(ck, c);
	keysize_check(ck, c);
	keepalive_check(ck, c);
	defaults_check(ck, c);
	if (ca != NULL && ca->content != NULL && ca->closed && ovpn_pem_is_whole(ca, false))
		ovpn_cas_check(ck, ca);
}

void
check_ovpn_profile(const char *file, const struct config *c, const struct check_ovpn_params *p, struct findings *out)
{
	struct ovpn_check ck = { .file = file, .params = p, .out = out };

	phone_check(&ck);
	bytes_check(&ck, c);
	/* To OpenVPN all of it is one line, or the beginnings of lines: there is nothing more to say. */
	if (c->cr_only || (c->nul > 0 && ovpn_says_nothing(c)))
		return;
	lines_check(&ck, c);
	if (ovpn_says_nothing(c)) {
		ovpn_found(&ck, OVPN_CLIENT_MISSING, 0, NULL,
		    "expected a client's configuration, found neither client nor dev nor remote");
		return;
	}
	ovpn_remotes_check(&ck, c);
	whole_check(&ck, c);
}
