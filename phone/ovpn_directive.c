/* SPDX-License-Identifier: ISC */
#include "common/text.h"
#include "dseries/cipher.h"
#include "dseries/client.h"
#include "phone/ovpn_reader.h"
#include "phone/ovpn_rules.h"
#include "phone/ovpn_argument.h"

#include <stdio.h>
#include <string.h>

static int
take_proto(struct ovpn_reader *r, struct ovpn_entry *entry, const char *proto)
{
	if (ovpn_entry_proto(entry, proto))
		return 0;
	return ovpn_fatal(r, "proto: expected udp, tcp or tcp-client, found \"%s\"", ovpn_shown(proto));
}

static int
take_proto_force(struct ovpn_reader *r, const struct ovpn_words *w)
{
	struct ovpn_entry entry = { .line = 0 };

	if (take_proto(r, &entry, w->word[1]) != 0)
		return -1;
	r->entries->forced = true;
	r->entries->forced_tcp = entry.proto == OVPN_TCP || entry.proto == OVPN_TCP6;
	return 0;
}

static int
take_remote(struct ovpn_reader *r, const struct ovpn_words *w)
{
	const char *proto = w->count > 3 ? w->word[3] : NULL;
	struct ovpn_entry unused = { .line = 0 };

	if (proto != NULL && take_proto(r, r->connection != 0 ? r->entry : &unused, proto) != 0)
		return -1;
	if (r->connection != 0) {
		r->connection_remotes++;
		r->entry->host = ovpn_host(w->word[1]);
	} else if (!ovpn_entries_remote(r->entries, ovpn_reader_line(r), w->word[1], proto))
		return ovpn_fatal(r, "remote: expected at most %d of them, found more", OVPN_ENTRIES_MAX);
	r->o->remotes++;
	return 0;
}

/* OpenSSL 1.0 has each name in upper and in lower case, and tells "Aes" from both: EVP_get_cipherbyname(). */
static bool
is_mixed_case(const char *name)
{
	size_t lower = 0, upper = 0;

	for (const char *at = name; *at != '\0'; at++) {
		lower += *at >= 'a' && *at <= 'z';
		upper += *at >= 'A' && *at <= 'Z';
	}
	return lower > 0 && upper > 0;
}

static int
take_cipher(struct ovpn_reader *r, const struct ovpn_words *w)
{
	enum cipher_support support;
	char shown[40];

	/* Without an argument it says the default. */
	if (w->count < 2)
		return 0;
	r->cipher = true;
	(void)snprintf(r->o->cipher, sizeof(r->o->cipher), "%s", w->word[1]);
	support = is_mixed_case(w->word[1]) ? CIPHER_NO : cipher_data_support(r->model, w->word[1]);
	if (ovpn_is(w->word[1], "none"))
		ovpn_note(r->o, ovpn_reader_line(r), "cipher none: what goes through the tunnel is not encrypted");
	else if (support != CIPHER_YES && r->model->ciphers_may_differ)
		ovpn_note(r->o, ovpn_reader_line(r),
		    "cipher: a %s may support other data-channel ciphers than the page lists", r->model->name);
	else if (support != CIPHER_YES)
		return ovpn_fatal(r,
		    "cipher: expected one of the data-channel ciphers of the vendor's page (AES-256-CBC), "
		    "found %s",
		    text_printable(w->word[1], shown, sizeof(shown)));
	return 0;
}

/* setenv opt was given a meaning in 2.3.3; before, it sets a variable called opt. *ret_keep: it does something here. */
static int
take_setenv(struct ovpn_reader *r, const struct ovpn_words *w, bool *ret_keep)
{
	if (ovpn_is(w->word[1], "GENERIC_CONFIG"))
		return ovpn_fatal(r,
		    "setenv GENERIC_CONFIG: expected a configuration for this client, found a generic one");
	if (strlen(w->word[1]) < 2)
		return ovpn_fatal(r, "setenv: expected a name of two characters or more, found %zu; OpenVPN asserts it",
		    strlen(w->word[1]));
	if (ovpn_is(w->word[1], "FORWARD_COMPATIBLE") && w->count > 2 && ovpn_is(w->word[2], "1"))
		r->forward = true;
	*ret_keep = strcmp(w->word[1], "opt") != 0;
	if (!*ret_keep)
		ovpn_note(r->o, ovpn_reader_line(r), "setenv opt %s: ignored by OpenVPN " CLIENT_VERSION,
		    w->count > 2 ? ovpn_shown(w->word[2]) : "");
	return 0;
}

/* OpenSSL before 1.1.0 knows one command, and ends the client at another, as @SECLEVEL=0. */
static int
take_tls_cipher(struct ovpn_reader *r, const struct ovpn_words *w)
{
	if (w->word[1][0] == '\0')
		return ovpn_fatal(r, "tls-cipher: expected the names of ciphers, found none");
	for (const char *at = strchr(w->word[1], '@'); at != NULL; at = strchr(at + 1, '@')) {
		if (strncmp(at, "@STRENGTH", strlen("@STRENGTH")) != 0)
			return ovpn_fatal(r,
			    "tls-cipher: expected no command but @STRENGTH, found another, at which the phone's "
			    "OpenSSL ends (\"invalid command\")");
	}
	(void)snprintf(r->o->tls_cipher, sizeof(r->o->tls_cipher), "%s", w->word[1]);
	return 0;
}

static int
take_names(struct ovpn_reader *r, const struct ovpn_words *w)
{
	struct ovpn_names *n = &r->names;

	if (ovpn_is(w->word[0], "verify-x509-name")) {
		if (w->word[1][0] == '\0')
			return ovpn_fatal(r, "verify-x509-name: expected a name, found an empty one");
		n->x509 = true;
	} else if (ovpn_is(w->word[0], "tls-remote")) {
		n->tls_remote = true;
		if (w->word[1][0] != '\0')
			(void)snprintf(n->tls_remote_name, sizeof(n->tls_remote_name), "%s", w->word[1]);
	} else {
		n->compat = true;
		if (w->count > 1 && ovpn_is(w->word[1], "no-remapping"))
			return ovpn_fatal(r,
			    "compat-names: expected without no-remapping, which is a server's, found it");
	}
	if (n->x509 && (n->tls_remote || n->compat))
		return ovpn_fatal(r,
		    "%s: expected verify-x509-name, or tls-remote and compat-names, found both ways; "
		    "OpenVPN " CLIENT_VERSION " ends",
		    w->word[0]);
	return 0;
}

/* What a directive's arguments mean to this reader; most it only counts. */
static int
take_arguments(struct ovpn_reader *r, const struct ovpn_words *w, bool *ret_keep)
{
	const char *name = w->word[0];

	if (ovpn_is(name, "client"))
		r->client = true;
	else if (ovpn_is(name, "tls-client"))
		r->tls_client = true;
	else if (ovpn_is(name, "pull"))
		r->pull = true;
	else if (ovpn_is(name, "dev"))
		r->dev = true;
	else if (ovpn_is(name, "remote-cert-tls"))
		r->o->remote_cert_tls = true;
	else if (ovpn_is(name, "remote-cert-ku"))
		r->o->remote_cert_tls = false;
	else if (ovpn_is(name, "ns-cert-type"))
		ovpn_note(r->o, ovpn_reader_line(r),
		    "ns-cert-type: the phone wants nsCertType=server in the server's certificate, OpenVPN 2.6 takes one "
		    "without: not proved here");
	else if (ovpn_is(name, "remote"))
		return take_remote(r, w);
	else if (ovpn_is(name, "proto-force"))
		return take_proto_force(r, w);
	else if (ovpn_is(name, "cipher"))
		return take_cipher(r, w);
	else if (ovpn_is(name, "tls-cipher"))
		return take_tls_cipher(r, w);
	else if (ovpn_is(name, "setenv"))
		return take_setenv(r, w, ret_keep);
	else if (ovpn_is(name, "proto"))
		return take_proto(r, r->entry, w->word[1]);
	else if (ovpn_is(name, "verify-x509-name") || ovpn_is(name, "tls-remote") || ovpn_is(name, "compat-names"))
		return take_names(r, w);
	else if ((ovpn_is(name, "http-proxy") || ovpn_is(name, "socks-proxy")) && w->count > 3)
		return ovpn_fatal(r, "%s: expected a host and a port, found a login, which the phone cannot enter",
		    name);
	else if (ovpn_file_number(name) < FILE_COUNT)
		r->form[ovpn_file_number(name)] = FORM_NAMED;
	return 0;
}

/* 1 when the phone acts on the directive, 0 when it is left out, -1 when the phone's client ends. */
static int
check_effect(struct ovpn_reader *r, const char *name)
{
	switch (ovpn_effect(name)) {
	case EFFECT_OWN:
		ovpn_note(r->o, ovpn_reader_line(r), "%s: acts on the phone itself; refphone leaves it out", name);
		return 0;
	case EFFECT_FILE:
		return ovpn_fatal(r,
		    "%s: expected all in the one file that the phone fetches, found the name of another", name);
	case EFFECT_NONE:
		break;
	}
	return 1;
}

static int
check_unknown(struct ovpn_reader *r, const char *name, const char *what)
{
	if (!r->forward)
		return ovpn_fatal(r,
		    "%s: %s; OpenVPN " CLIENT_VERSION " ends with \"Unrecognized option or missing parameter(s)\"",
		    ovpn_shown(name), what);
	ovpn_note(r->o, ovpn_reader_line(r), "%s: unknown, and ignored because of setenv FORWARD_COMPATIBLE 1",
	    ovpn_shown(name));
	return 0;
}

/* As check_effect(). */
static int
check_kind(struct ovpn_reader *r, const struct client_directive *d, const struct ovpn_words *w)
{
	enum client_directive_kind kind = d != NULL ? d->kind : CLIENT_UNKNOWN;
	const char *name = w->word[0];

	switch (kind) {
	case CLIENT_UNKNOWN:
		return check_unknown(r, name, "expected a directive of OpenVPN, found an unknown one");
	case CLIENT_TOO_NEW:
		return check_unknown(r, name,
		    "expected a directive of OpenVPN " CLIENT_VERSION ", found a later version's");
	case CLIENT_NEEDS_PROMPT:
		return ovpn_fatal(r,
		    "%s: expected no password to be entered, which the phone has no means for "
		    "(vendor's page, \"Important Notes\")",
		    name);
	case CLIENT_RUNS_PROGRAMS:
		return ovpn_fatal(r,
		    "%s: expected nothing that starts programs or loads code, found it; refphone runs none", name);
	case CLIENT_TAKES_2_3:
		ovpn_note(r->o, ovpn_reader_line(r), "%s: OpenVPN 2.3 takes it, 2.1 and 2.2 end at it", name);
		break;
	case CLIENT_TAKES:
		break;
	}
	if (w->count - 1 < d->min_arguments)
		return check_unknown(r, name, "expected more arguments, found too few");
	if (w->count - 1 > d->max_arguments)
		ovpn_note(r->o, ovpn_reader_line(r),
		    "%s: more arguments than it has; OpenVPN " CLIENT_VERSION " ignores them", name);
	return ovpn_argument_check(r, w) == 0 ? check_effect(r, name) : -1;
}

/* For the real openvpn. Of a word too many the phone's takes no notice, and that one ends. */
static void
keep(struct ovpn_reader *r, const struct client_directive *d, const struct ovpn_piece *piece,
    const struct ovpn_words *w)
{
	size_t last = w->count - 1 > d->max_arguments ? d->max_arguments : w->count - 1;

	if (ovpn_modern_proto(w) != NULL) {
		buf_add(&r->o->effective, piece->text, w->end[last - 1]);
		buf_addf(&r->o->effective, " %s\n", ovpn_modern_proto(w));
		return;
	}
	switch (ovpn_modern(d->name, w->count - 1)) {
	case MODERN_GONE:
		ovpn_note(r->o, ovpn_reader_line(r),
		    "%s: taken by the phone's OpenVPN; OpenVPN 2.6 has no such directive: left out, not proved here",
		    d->name);
		break;
	case MODERN_ELSEWHERE:
		break;
	case MODERN_SAME:
		buf_add(&r->o->effective, piece->text, last == w->count - 1 ? piece->len : w->end[last]);
		buf_add_string(&r->o->effective, "\n");
		break;
	}
}

int
ovpn_directive_read(struct ovpn_reader *r, const struct ovpn_piece *piece, const struct ovpn_words *w)
{
	const struct client_directive *d = client_directive_find(w->word[0]);
	const char *why;
	bool act = true;
	int rc;

	if (d != NULL && r->connection != 0 && !ovpn_is_connection_directive(d->name))
		return ovpn_fatal(r, "%s: expected outside of <connection>, found inside", d->name);
	rc = check_kind(r, d, w);
	if (rc <= 0)
		return rc;
	ovpn_entry_say(r->entry, w);
	why = ovpn_whole_say(&r->whole, w);
	if (why != NULL)
		return ovpn_fatal(r, "%s", why);
	if (take_arguments(r, w, &act) != 0)
		return -1;
	if (act)
		keep(r, d, piece, w);
	return 0;
}
