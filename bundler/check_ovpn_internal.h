/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CHECK_OVPN_INTERNAL_H
#define BUNDLER_CHECK_OVPN_INTERNAL_H

#include "bundler/check_ovpn.h"

#include <stdbool.h>

/* What the files of "check ovpn" share. The rules are told in check_ovpn_rules.c. */
enum ovpn_rule {
	/* the file */
	OVPN_SIZE,
	OVPN_BOM,
	OVPN_CR_ONLY,
	OVPN_NUL,
	OVPN_LINE_LONG,
	OVPN_QUOTING,
	OVPN_READABLE,
	/* the phone */
	OVPN_MODEL,
	OVPN_FIRMWARE,
	OVPN_D80,
	/* blocks */
	OVPN_BLOCK_OPEN,
	OVPN_BLOCK_INDENTED,
	OVPN_BLOCK_UNKNOWN,
	OVPN_TAG,
	OVPN_BLOCK_CUT,
	OVPN_BLOCK_LONG,
	OVPN_BLOCK_TWICE,
	OVPN_BLOCK_MISSING,
	OVPN_NOT_INLINE,
	OVPN_PEM_INDENTED,
	OVPN_PEM_BROKEN,
	OVPN_PEM_NONE,
	OVPN_PEM_LINE_LONG,
	OVPN_TLS_AUTH_BROKEN,
	/* directives */
	OVPN_NO_DIRECTIVE,
	OVPN_UNKNOWN,
	OVPN_TOO_NEW,
	OVPN_SINCE_2_3,
	OVPN_OVERLOOKED,
	OVPN_ARGUMENTS,
	OVPN_ARGUMENTS_MANY,
	OVPN_PASSWORD,
	OVPN_PROGRAM,
	OVPN_OTHER_FILE,
	OVPN_PHONE_ITSELF,
	OVPN_CONNECTION,
	OVPN_VALUE,
	OVPN_CONFLICT,
	OVPN_GENERIC,
	OVPN_CLIENT_MISSING,
	OVPN_DEV_MISSING,
	OVPN_DEV,
	OVPN_DEV_TAP,
	OVPN_REMOTE_MISSING,
	OVPN_REMOTE_MANY,
	OVPN_REMOTE_FAMILY,
	OVPN_PROTO,
	OVPN_PROTO_DIRECTIVE,
	OVPN_PROTO_FORCE,
	/* what both sides must agree on */
	OVPN_CIPHER_MISSING,
	OVPN_CIPHER_UNSUPPORTED,
	OVPN_CIPHER_AEAD,
	OVPN_CIPHER_LEGACY,
	OVPN_CIPHER_SMALL_BLOCK,
	OVPN_CIPHER_NONE,
	OVPN_AUTH_MISSING,
	OVPN_AUTH_UNKNOWN,
	OVPN_AUTH_UNMEASURED,
	OVPN_AUTH_NONE,
	OVPN_TLS_CIPHER_COMMAND,
	OVPN_TLS_CIPHER_UNSUPPORTED,
	OVPN_TLS_CIPHER_GONE,
	OVPN_SERVER_UNCHECKED,
	OVPN_NS_CERT_TYPE,
	OVPN_COMP_LZO,
	OVPN_FRAGMENT,
	OVPN_TLS_AUTH_DIRECTION,
	OVPN_AUTH_RETRY,
	/* certificates and key */
	OVPN_CA_TIME,
	OVPN_CA_ENDING,
	OVPN_CA_RECENT,
	OVPN_KEY_ENCRYPTED,
	OVPN_KEY_BROKEN,
	OVPN_KEY_MISMATCH,
	OVPN_CERT_UNSIGNED,
	OVPN_CERT_CHAIN_TIME,
	OVPN_CERT_EXPIRED,
	OVPN_CERT_NOT_YET,
	OVPN_CERT_ENDING,
	OVPN_CERT_PURPOSE,
	OVPN_CERT_USAGE,
	OVPN_CERT_DIGEST,
	OVPN_CERT_REST,
	OVPN_CERT_INTERMEDIATE,
	OVPN_CERT_WEAK,
	OVPN_CERT_EC,
	OVPN_CERT_KIND,
	OVPN_CERT_UNMEASURED,
	OVPN_RULE_COUNT,
};

struct ovpn_check {
	const char *file;
	const struct check_ovpn_params *params;
	struct findings *out;	/* NULL: nobody wants to know */
	unsigned int base;	/* inside <connection>: the lines of the file before its content */
	bool inside;
	bool forward;		/* setenv FORWARD_COMPATIBLE 1 came before */
	bool no_directive;	/* OVPN_NO_DIRECTIVE was found */
};

/* line counts in what is being read, 0 is the file as a whole; element may be NULL. */
void ovpn_found(const struct ovpn_check *ck, enum ovpn_rule rule, unsigned int line, const char *element,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A word that is no part of a key, by its looks: short, and of a directive's letters. */
bool ovpn_is_directive_like(const char *word);

/* word is one of the count names. */
bool ovpn_listed(const char *const *names, size_t count, const char *word);

/* The model to judge by. */
const struct model *ovpn_model(const struct ovpn_check *ck);

/* One line that is no block (check_ovpn_directive.c), and what its arguments say (check_ovpn_value.c). */
void ovpn_directive_check(struct ovpn_check *ck, const struct config_line *line);
void ovpn_value_check(struct ovpn_check *ck, const struct config_line *line);

/* Numbers out of range, and words that are none of few. */
void ovpn_range_check(const struct ovpn_check *ck, const struct config_line *line);

/* The directive needs a file or folder of its own (and is none that may be a block). */
bool ovpn_names_file(const char *directive);

/* "proto" or the third argument of a remote: false for what no client can have. */
bool ovpn_proto_is_known(const char *word);

/* The rest of what a directive says, where it needs the phone's lists (check_ovpn_cipher.c). */
void ovpn_cipher_check(struct ovpn_check *ck, const struct config_line *line);
void ovpn_auth_check(struct ovpn_check *ck, const struct config_line *line);
void ovpn_tls_cipher_check(struct ovpn_check *ck, const struct config_line *line);

/* All places to connect to, and what does not go with them (check_ovpn_remote.c). */
void ovpn_remotes_check(struct ovpn_check *ck, const struct config *c);

/* None of what a client's configuration begins with: the file is something else. */
bool ovpn_says_nothing(const struct config *c);

/* The file ends inside of a block, which has swallowed what is missing elsewhere. */
bool ovpn_ends_in_block(const struct config *c);

/* What of a block reaches the phone's OpenVPN. */
size_t ovpn_block_kept(const struct config_line *line);

/* PEM of certificates or a private key, as it is read there. True when it is whole (check_ovpn_pem.c). */
bool ovpn_pem_check(const struct ovpn_check *ck, const struct config_line *line, bool key);
bool ovpn_pem_is_whole(const struct config_line *line, bool key);
void ovpn_static_key_check(const struct ovpn_check *ck, const struct config_line *line);

/* A CA of <ca> by itself (check_ovpn_identity.c). */
void ovpn_cas_check(const struct ovpn_check *ck, const struct config_line *line);

#endif
