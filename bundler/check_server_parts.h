/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CHECK_SERVER_PARTS_H
#define BUNDLER_CHECK_SERVER_PARTS_H

#include "bundler/check_server.h"
#include "ca/bulk.h"
#include "common/buf.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdint.h>
#include <sys/types.h>

/* Inside bundler/check_server*.c only: what they share. */

/* In the order of check_server_rules[]. */
enum server_rule {
	/* the server does not start */
	SERVER_LINE,
	SERVER_DIRECTIVE_UNKNOWN,
	SERVER_DIRECTIVE_REMOVED,
	SERVER_DIRECTIVE_LATER,
	SERVER_DIRECTIVE_ARGUMENTS,
	SERVER_DIRECTIVE_MISPLACED,
	SERVER_DIRECTIVE_VALUE,
	SERVER_DIRECTIVE_MISSING,
	SERVER_OPTIONS,
	SERVER_FILE_MISSING,
	SERVER_FILE_BROKEN,
	SERVER_KEY_MISMATCH,
	SERVER_CERT_REFUSED,
	SERVER_CA_SAME_NAME,
	SERVER_PROVIDERS,
	SERVER_CIPHER_UNSUPPORTED,
	SERVER_CIPHER_LEGACY,
	SERVER_AUTH_UNSUPPORTED,
	SERVER_COMP_REFUSED,
	SERVER_NETWORK,
	SERVER_USER_UNKNOWN,
	/* the phone gets no answer */
	SERVER_PROTO,
	SERVER_FAMILY,
	SERVER_PORT,
	SERVER_TLS_AUTH,
	SERVER_TLS_CRYPT,
	/* the TLS handshake fails */
	SERVER_TLS_VERSION,
	SERVER_SECURITY_LEVEL,
	SERVER_TLS_SUITES,
	SERVER_CERT_NOT_RSA,
	SERVER_HANDSHAKE,
	SERVER_CERT_PURPOSE,
	SERVER_CERT_NAME,
	SERVER_CERT_EXPIRED,
	SERVER_CERT_NOT_YET,
	SERVER_CERT_CHAIN,
	/* the server refuses the phone */
	SERVER_PHONE_CA,
	SERVER_PHONE_REFUSED,
	SERVER_PHONE_REVOKED,
	SERVER_PHONE_PURPOSE,
	SERVER_PHONE_NAME,
	SERVER_CRL_EXPIRED,
	SERVER_CRL_NOT_YET,
	SERVER_CRL_EMPTY,
	SERVER_CRL_UNREADABLE,
	SERVER_PASSWORD,
	SERVER_SCRIPT_SECURITY,
	SERVER_CCD_EXCLUSIVE,
	SERVER_CCD_DISABLED,
	SERVER_CCD_ADDRESS,
	SERVER_DATA_CIPHER,
	SERVER_MAX_CLIENTS,
	/* connects, and nothing passes */
	SERVER_DEV,
	SERVER_AUTH,
	SERVER_COMP,
	SERVER_FRAGMENT,
	SERVER_REPLAY,
	SERVER_NO_ADDRESS,
	SERVER_TOPOLOGY_PUSH,
	/* lets in who should stay out */
	SERVER_NOT_REVOKED,
	/* warnings */
	SERVER_DIRECTIVE_IGNORED,
	SERVER_NOT_READ,
	SERVER_KEY_READABLE,
	SERVER_KEY_ENCRYPTED,
	SERVER_CERT_EXPIRING,
	SERVER_CERT_WEAK,
	SERVER_CRL_EXPIRING,
	SERVER_CRL_STALE,
	SERVER_CRL_OTHER,
	SERVER_CRL_DIR_UNREADABLE,
	SERVER_REVOKED_BY_NAME,
	SERVER_CCD_UNREADABLE,
	SERVER_CCD_OVERLOOKED,
	SERVER_USER_RESTART,
	SERVER_MTU,
	SERVER_ROUTE_REMOTE,
	SERVER_NETWORK_SETTING,
	SERVER_KEEPALIVE,
	SERVER_CLIENT_CERT,
	SERVER_OPT_VERIFY,
	SERVER_LOOPBACK,
	/* notes */
	SERVER_MODEL,
	SERVER_CLIENT_CONNECT,
	SERVER_PERSIST_KEY,
	SERVER_TOPOLOGY,
	SERVER_ROUTE_OVERLAP,
	SERVER_DUPLICATE_CN,
	SERVER_RENEG,
	SERVER_RULE_COUNT,
};

#define SERVER_CIPHERS_MAX 64
#define SERVER_CIPHER_SIZE 32
#define SERVER_FILE_MAX (64 << 20)	/* bytes of a file that it names; a CRL may be long */

enum server_framing {
	FRAMING_NONE,
	FRAMING_LZO,		/* comp-lzo, compress lzo: what 2.3.2's comp-lzo writes and reads */
	FRAMING_LZO_STUB,	/* comp-lzo no: the same, and what is compressed is dropped */
	FRAMING_MIGRATE,	/* compress migrate: as the client has it */
	FRAMING_V2,		/* compress stub-v2, lz4-v2: no byte of its own before what is not compressed */
	FRAMING_OTHER,		/* compress, stub, lz4: none that 2.3.2 knows */
};

struct server_authority {
	X509 *cert;		/* of check_server.cas */
	X509_CRL *crl;		/* its best one, or NULL */
	bool expired;		/* that is past its nextUpdate, or */
	bool not_yet;		/* before its thisUpdate */
	bool told;
};

/* Why it lets in a certificate that is revoked. */
enum server_gap {
	SERVER_GAP_NONE,	/* it does not */
	SERVER_GAP_NO_VERIFY,
	SERVER_GAP_NO_CRL,
	SERVER_GAP_NOT_LISTED,
	SERVER_GAP_NO_FILE,
	SERVER_GAP_UNREADABLE,
	SERVER_GAP_NAME,	/* it does not, for the name alone: client-config-dir */
	SERVER_GAP_COUNT,
};

struct server_let_in {
	size_t count;
	char first[160];	/* whose, and its serial */
};

struct server_network {
	bool known;
	uint32_t address, mask;	/* host byte order */
};

/* The user that OpenVPN becomes after its start. */
struct server_user {
	bool dropped;		/* there is one, and this machine knows it */
	uid_t uid;
	gid_t gid;
};

/* What a line of check_server.config does not know of itself. */
struct server_origin {
	const char *file;	/* of check_server.files */
	bool optional;		/* behind "setenv opt" */
};

struct check_server {
	char *file, *folder;	/* as given; where relative names begin */
	char *chroot;		/* resolved, or NULL */
	char **files;		/* the file and those that it includes */
	size_t file_count;
	bool included_enough;	/* one is included by itself, or too many are: the rest is not read */
	struct buf text;	/* of the file */
	struct config config;	/* their lines, an include's in its place */
	struct server_origin *origin;	/* of each line, in its order */
	const struct check_clock *clock;
	unsigned int compat;	/* compat-mode 2.3.0 is 20300; 0 without */

	bool tcp, tap, subnet;	/* subnet: "topology subnet", or tap */
	struct server_network network;
	struct server_user user;

	char cipher[SERVER_CIPHERS_MAX][SERVER_CIPHER_SIZE];	/* what it negotiates */
	size_t cipher_count;
	bool ciphers_refused;	/* it does not start for them, and that is said */
	enum server_framing framing;

	OSSL_LIB_CTX *library;	/* with the providers that it loads: */
	OSSL_PROVIDER *provider[CONFIG_WORDS_MAX];
	size_t provider_count;
	SSL_CTX *ssl;		/* as OpenVPN sets its own up; level 0 and TLS 1.0 once those are judged */
	bool suites_refused;	/* as ciphers_refused */
	int level;		/* the security level that it has */
	unsigned int tls_min;	/* 10 is TLS 1.0; 0 where its options do not let it start */
	bool tls_told;

	X509 *cert;		/* its own, or NULL; with what it sends behind: */
	STACK_OF(X509) *sent;
	STACK_OF(X509) *cas;	/* of ca */
	X509_STORE *store;	/* of ca and capath */
	struct ca_voucher *voucher;	/* of phones' certificates */
	STACK_OF(X509) *phone_chain;	/* of the last check_server_against() */
	bool model_told;
	bool has_capath;

	STACK_OF(X509_CRL) *crls;
	struct server_authority *authority;
	size_t authority_count;
	char *crl_dir;		/* of "crl-verify DIR dir", or NULL */
	bool crl_dir_known;	/* it is there, and we may look into it */
	bool crl_dir_unreadable;
	struct server_let_in let_in[SERVER_GAP_COUNT];

	char *ccd;		/* client-config-dir, or NULL */
	bool ccd_unreadable;
};

/* One rule at a line of server.conf (NULL: the file as a whole). */
void server_found(const struct check_server *s, struct findings *out, enum server_rule rule,
    const struct config_line *line, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for what is about one phone. */
void server_found_phone(const struct check_server *s, struct findings *out, enum server_rule rule,
    const char *phone, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Words of the last line of that name, or NULL; otherwise when it is absent. */
const char *server_word(const struct check_server *s, const char *name, const char *otherwise);
bool server_has(const struct check_server *s, const char *name);

/* ---- check_server_include.c ---- */

/*
 * Read the text of the file, and what its "config" directives include, into s->config, without the "setenv opt" in front
 * of a directive; follows each "cd". -1 when the text is no configuration.
 */
int server_config_read(struct check_server *s, const struct buf *text, struct findings *out, struct err *e);

/* ---- check_server_directives.c: what 2.6.14 was measured to take ---- */

enum server_directive_kind {
	DIRECTIVE_TAKES,
	DIRECTIVE_IGNORED,	/* OpenVPN's log says that it has no effect, or none on a server */
	DIRECTIVE_CLIENT_CONFIG,	/* of client-config files, or pushed */
	DIRECTIVE_ENDS,		/* shows or makes something in place of serving */
};

struct server_directive {
	const char *name;
	enum server_directive_kind kind;
	unsigned char min, max;	/* arguments */
	bool block;		/* <name> ... </name> is taken */
};

/* A directive of another OpenVPN: of a former or later version, or of another system. */
struct server_stranger {
	const char *name;
	enum server_rule rule;
	const char *of;		/* the version that removed it or brought it, the system that has it */
	bool always;		/* ends the server also where an unknown directive is overlooked */
};

/* NULL when there is none of that name. */
const struct server_directive *server_directive_find(const char *name);
const struct server_stranger *server_stranger_find(const char *name);

/* ---- check_server_directive.c ---- */

/* Each line by itself: is it a directive of 2.6, does it have its arguments, does it belong here. */
void server_directives_open(const struct check_server *s, struct findings *out);

/* Fit to be shown: not a line of a key that lost its tags. */
bool server_is_word(const char *word);

/* ---- check_server_value.c ---- */

/* The arguments of a directive that has as many as it takes. */
void server_value_check(const struct check_server *s, const struct config_line *line, struct findings *out);

/* The content of one that may be a block. */
void server_block_check(const struct check_server *s, const struct config_line *line, struct findings *out);

void server_value_found(const struct check_server *s, const struct config_line *line, size_t argument,
    struct findings *out, const char *expected);

/* A number as OpenVPN's atoi reads it: up to what is no digit, 0 without any. */
long server_number(const char *word);

/* ---- check_server_address.c ---- */

/* Addresses among the arguments. */
void server_address_check(const struct check_server *s, const struct config_line *line, struct findings *out);

/* ---- check_server_options.c ---- */
void server_options_open(struct check_server *s, struct findings *out);

/* ---- check_server_conflict.c: behind server_network_open() ---- */
void server_conflicts_open(const struct check_server *s, struct findings *out);

/* ---- check_server_file.c ---- */

/* A name as OpenVPN resolves it, in new memory; in_chroot for what it reads after its chroot. NULL without memory. */
char *server_path(const struct check_server *s, const char *name, bool in_chroot);

/*
 * What stands in a file that a directive names, or in its inline block. False when the directive is absent or the file
 * cannot be read, which server_files_open() says.
 */
bool server_file_text(const struct check_server *s, const struct config_line *line, struct buf *out);

/* Existence, permissions and the user. */
void server_files_open(struct check_server *s, struct findings *out);

/*
 * The dropped user may read path, or enter and read it when it is a folder. *ret_why names what is in the way; 0
 * without a dropped user.
 */
bool server_user_reads(const struct check_server *s, const char *path, char *ret_why, size_t size);

/* ---- check_server_network.c ---- */
void server_network_open(struct check_server *s, struct findings *out);
void server_network_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);

bool server_network_has(const struct server_network *n, uint32_t address);

/* ---- check_server_route.c ---- */
void server_routes_open(const struct check_server *s, struct findings *out);
void server_routes_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);

/* ---- check_server_push.c ---- */

/* To all phones, by the directive server, or by a push where "mode server" stands in its place. */
bool server_pushes_topology(const struct check_server *s);

/* The line of a client-config file that takes it back; NULL where none does, or a later one pushes it anew. */
const struct config_line *server_topology_lost(const struct config *ccd);

/* ---- check_server_data.c ---- */
void server_data_open(struct check_server *s, struct findings *out);
void server_data_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);
void server_data_alone(const struct check_server *s, struct findings *out);

/* ---- check_server_comp.c ---- */
void server_comp_open(struct check_server *s, struct findings *out);
void server_comp_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);
void server_comp_alone(const struct check_server *s, struct findings *out);

/* ---- check_server_tls.c ---- */

/* The library and the SSL_CTX; server_cert_open() loads the certificate into it. */
void server_tls_open(struct check_server *s, struct findings *out);

/* That version and level are for TLS 1.0, told once: a server without any phone is right to want more. */
void server_tls_old(struct check_server *s, struct findings *out);
void server_library_free(struct check_server *s);
void server_tls_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);
void server_tls_alone(const struct check_server *s, struct findings *out);

/* ---- check_server_wrap.c: tls-auth and tls-crypt ---- */
void server_wrap_open(const struct check_server *s, struct findings *out);
void server_wrap_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);

/* ---- check_server_cert.c ---- */
void server_cert_open(struct check_server *s, struct findings *out);
void server_cert_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out);

/* ---- check_server_crl.c ---- */

/* The path is a folder: OpenVPN keeps "dir" of one crl-verify line for the later ones, whose path alone counts. */
bool server_crl_is_dir(const struct check_server *s);

void server_crl_open(struct check_server *s, struct findings *out);

/* chain is the phone's certificate with its issuers, as it was verified. False when it is refused. */
bool server_crl_phone(struct check_server *s, const char *name, STACK_OF(X509) *chain, struct findings *out);

enum server_listing {
	SERVER_LISTING_ABSENT,
	SERVER_LISTING_UNREADABLE,	/* for the user that the server becomes, who takes it for absent */
	SERVER_LISTING_READ,
};

/* The file of a serial in s->crl_dir; ret_why gets its path, or what keeps the user from it. */
enum server_listing server_crl_folder(const struct check_server *s, const BIGNUM *serial, char *ret_why, size_t size);

/* ---- check_server_access.c ---- */
void server_access_open(struct check_server *s, struct findings *out);

/* ---- check_server_ccd.c ---- */
void server_ccd_open(struct check_server *s, struct findings *out);

/* What its client-config file does to a phone whose certificate is good. */
void server_ccd_phone(const struct check_server *s, const char *name, const char *common_name, struct findings *out);

/* Every certificate of that common name is turned down: by "disable", or for ccd-exclusive without a file. */
bool server_ccd_refuses(const struct check_server *s, const char *common_name);

#endif
