/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_READER_H
#define PHONE_OVPN_READER_H

#include "phone/ovpn.h"
#include "phone/ovpn_entry.h"
#include "phone/ovpn_line.h"
#include "phone/ovpn_whole.h"

#include <stdbool.h>

/* What ovpn.c, for lines and blocks, and ovpn_directive.c share. */

enum {
	FILE_CA,
	FILE_CERT,
	FILE_KEY,
	FILE_TLS_AUTH,
	FILE_DH,
	FILE_EXTRA_CERTS,
	FILE_PKCS12,
	FILE_COUNT,
};

enum form {
	FORM_ABSENT,
	FORM_INLINE,
	FORM_NAMED,
};

/* Of the directives that name the server's certificate, 2.3.2 takes the old ones or the new one. */
struct ovpn_names {
	bool tls_remote, compat, x509;
	char tls_remote_name[CLIENT_LINE_MAX + 1];
};

struct ovpn_reader {
	struct ovpn_source src;
	const struct model *model;
	struct ovpn *o;
	struct err *e;
	bool forward;            /* setenv FORWARD_COMPATIBLE 1: unknown directives are warnings */
	unsigned int connection; /* line of the <connection> being read, or 0 */
	unsigned int connection_remotes;
	bool client, tls_client, pull, dev, cipher;
	enum form form[FILE_COUNT];
	struct ovpn_names names;
	struct ovpn_whole whole;
	struct ovpn_entries *entries;
	struct ovpn_entry *entry; /* that of the <connection>, or entries->global */
};

/* One of the FILE_ numbers, or FILE_COUNT: directives that name a file, which the phone can have inside only. */
unsigned int ovpn_file_number(const char *directive);
const char *ovpn_file_name(unsigned int number);

unsigned int ovpn_reader_line(const struct ovpn_reader *r);

/* ERR_INTEGRITY with the line before the text. Always -1. */
int ovpn_fatal(struct ovpn_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* line 0: of the file as a whole. */
void ovpn_note(struct ovpn *o, unsigned int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A line that is a directive: take note of it, and copy it where the phone's OpenVPN acts on it. */
int ovpn_directive_read(struct ovpn_reader *r, const struct ovpn_piece *piece, const struct ovpn_words *w);

#endif
