/* SPDX-License-Identifier: ISC */
#include "bundler/server_conf.h"

#include "bundler/network.h"
#include "bundler/server_path.h"
#include "common/text.h"
#include "dseries/client.h"
#include "dseries/model.h"

#include <string.h>

#define SERVER_CONF_MAX 16384
#define LINE_MAX_BYTES 254 /* and the line's end: OPTION_LINE_SIZE 256 in OpenVPN's options.h, 2.4 to 2.7 */
#define SOCKET_PATH_MAX 107
#define PORT_MAX 65535
#define ADDRESSES_TAKEN 3 /* network, server and broadcast */

/* Measured: with more OpenVPN does not start (MAX_NCP_CIPHERS_LENGTH 127 in its ssl_ncp.h). */
#define CIPHERS_LENGTH_MAX 124

/* What 2.6 offers by itself, and as much of that as leaves room for the phones' own; 2.4 does not know the last one. */
#define FIRST_FOR_2_4 1
static const char *const data_ciphers[] = {
	"AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305",
	"AES-256-GCM:AES-128-GCM",
	"AES-256-GCM",
};

/* OpenSSL 3 keeps the others in its legacy provider. */
static bool
cipher_is_legacy(const char *cipher)
{
	static const char *const current[] = { "AES-", "CAMELLIA-", "DES-EDE" };

	for (size_t i = 0; i < sizeof(current) / sizeof(current[0]); i++)
		if (strncmp(cipher, current[i], strlen(current[i])) == 0)
			return false;
	return true;
}

/* ---- whom a line is for ---- */

typedef bool client_match(const struct server_conf_client *c, const char *value);

static bool
is_known(const struct server_conf_client *c, const char *value)
{
	const struct model *m = model_find(c->model);

	(void)value;
	return m == NULL || !m->ciphers_may_differ;
}

static bool
is_unknown(const struct server_conf_client *c, const char *value)
{
	return !is_known(c, value);
}

static bool
is_any(const struct server_conf_client *c, const char *value)
{
	(void)c;
	(void)value;
	return true;
}

static bool
has_cipher(const struct server_conf_client *c, const char *value)
{
	return strcmp(c->cipher, value) == 0;
}

static bool
has_other_auth(const struct server_conf_client *c, const char *value)
{
	return strcmp(c->auth, value) != 0;
}

static bool
has_lzo(const struct server_conf_client *c, const char *value)
{
	(void)value;
	return c->comp_lzo;
}

static bool
has_no_lzo(const struct server_conf_client *c, const char *value)
{
	return !has_lzo(c, value);
}

static bool
any_client(const struct server_conf_params *p, client_match *match, const char *value)
{
	for (size_t i = 0; i < p->client_count; i++)
		if (match(&p->clients[i], value))
			return true;
	return false;
}

/* "D60, D65" */
static void
models_add(const struct server_conf_params *p, client_match *match, const char *value, struct buf *out)
{
	const char *separator = "";

	for (size_t m = 0; model_at(m) != NULL; m++) {
		const char *name = model_at(m)->name;

		for (size_t i = 0; i < p->client_count; i++) {
			if (strcmp(p->clients[i].model, name) != 0 || !match(&p->clients[i], value))
				continue;
			buf_addf(out, "%s%s", separator, name);
			separator = ", ";
			break;
		}
	}
}

/* "# D60, D65: why" */
static void
reason_add(const struct server_conf_params *p, client_match *match, const char *value, const char *why, struct buf *out)
{
	if (!any_client(p, match, value))
		return;
	buf_add_string(out, "# ");
	models_add(p, match, value, out);
	buf_addf(out, ": %s\n", why);
}

/* ---- the parts ---- */

/* The phones say "udp" or "tcp-client"; "6" takes both kinds of address. */
static void
listen_add(const struct server_conf_params *p, struct buf *out)
{
	bool ipv6 = false;

	for (size_t i = 0; i < p->profile->remote_count; i++)
		ipv6 = ipv6 || profile_host_is_ipv6(p->profile->remotes[i].host);
	buf_addf(out, "port %u\n", p->port);
	if (p->profile->proto == PROFILE_TCP)
		buf_add_string(out, ipv6 ? "proto tcp6-server\n" : "proto tcp-server\n");
	else
		buf_add_string(out, ipv6 ? "proto udp6\n" : "proto udp\n");
	buf_add_string(out, "dev tun\n");
}

static void
network_add(const struct server_conf_params *p, const struct network *n, struct buf *out)
{
	char first[NETWORK_ADDRESS_SIZE], last[NETWORK_ADDRESS_SIZE], mask[NETWORK_ADDRESS_SIZE];

	buf_addf(out,
	    "\ntopology subnet\n"
	    "server %s %s nopool\n",
	    network_host(n, 0, first), network_mask(n, mask));
	buf_addf(out, "# %s to %s are the phones', each its own by its file here, which is read at each login.\n",
	    network_host(n, n->phones_first, first), network_host(n, n->phones_last, last));
	server_path_add(out, "client-config-dir", p->dir, SERVER_CCD, NULL);
	buf_addf(out,
	    "# For clients without such a file; apart from the phones', since OpenVPN gives it away whoever has one of it.\n"
	    "ifconfig-pool %s %s %s\n",
	    network_host(n, n->pool_first, first), network_host(n, n->pool_last, last), mask);
	buf_addf(out, "# As many clients as there are addresses; OpenVPN stops at 1024 otherwise.\nmax-clients %u\n",
	    ~n->mask + 1 - ADDRESSES_TAKEN);
}

/* A comment in place of the one that is not used, so that whoever wants it has the line. */
static void
revocation_add(const struct server_conf_params *p, struct buf *out)
{
	if (!p->crl_dir) {
		buf_add_string(out,
		    "# Read again at each login. Past its nextUpdate it keeps every phone out: renew it "
		    "in time. Or, by serials,\n"
		    "# which never ends, but lets everybody in where the folder cannot be read:\n# ");
		server_path_add(out, "crl-verify", p->dir, SERVER_CRL_DIR, "dir");
		server_path_add(out, "crl-verify", p->dir, SERVER_CRL, NULL);
		return;
	}
	buf_add_string(out,
	    "# Revoked serials, looked up at each login. It never ends, but lets everybody in where the "
	    "folder cannot be read.\n"
	    "# Or, by the CRL, which keeps every phone out past its nextUpdate:\n# ");
	server_path_add(out, "crl-verify", p->dir, SERVER_CRL, NULL);
	server_path_add(out, "crl-verify", p->dir, SERVER_CRL_DIR, "dir");
}

static void
files_add(const struct server_conf_params *p, struct buf *out)
{
	buf_add_string(out, "\n");
	server_path_add(out, "ca", p->dir, SERVER_CA, NULL);
	server_path_add(out, "cert", p->dir, SERVER_CERT, NULL);
	server_path_add(out, "key", p->dir, SERVER_KEY, NULL);
	buf_add_string(out, "dh none\n"
			    "# Only certificates made for clients; the server's own is none.\n"
			    "remote-cert-tls client\n");
	revocation_add(p, out);
}

static void
tls_add(const struct server_conf_params *p, struct buf *out)
{
	buf_add_string(out, "\n");
	if (p->client_count == 0) {
		buf_add_string(out, "# The default of 2.6; 2.4 and 2.5 would take 1.0.\ntls-version-min 1.2\n");
		return;
	}
	reason_add(p, is_known, NULL,
	    "OpenVPN " CLIENT_VERSION ", which speaks TLS 1.0 and nothing later; 2.6 wants 1.2.", out);
	reason_add(p, is_unknown, NULL, "what OpenVPN it has is not known; taken for one as old.", out);
	buf_add_string(out, "tls-version-min 1.0\n");
	reason_add(p, is_any, NULL, "TLS 1.0 signs with SHA-1, which OpenSSL 3 does at security level 0 only.", out);
	buf_add_string(out, "tls-cipher DEFAULT:@SECLEVEL=0\n");
}

/* The longest of ours that fits, then each of theirs once. */
static int
ciphers_add(const struct server_conf_params *p, const char *directive, size_t ours, struct buf *out, struct err *e)
{
	struct buf theirs = BUF_INIT(SERVER_CONF_MAX);
	int rc = -1;

	for (size_t i = 0; i < p->client_count; i++) {
		size_t earlier = 0;

		while (strcmp(p->clients[earlier].cipher, p->clients[i].cipher) != 0)
			earlier++;
		if (earlier == i)
			buf_addf(&theirs, ":%s", p->clients[i].cipher);
	}
	while (ours < sizeof(data_ciphers) / sizeof(data_ciphers[0]) &&
	       strlen(data_ciphers[ours]) + theirs.len > CIPHERS_LENGTH_MAX)
		ours++;
	if (ours == sizeof(data_ciphers) / sizeof(data_ciphers[0]))
		err_set(e, ERR_INPUT,
		    "phones' ciphers: expected at most %zu bytes, for which OpenVPN's data-ciphers has room, found%s; "
		    "'phonevpn emit server --offered' leaves those of older bundles out",
		    CIPHERS_LENGTH_MAX - strlen(data_ciphers[ours - 1]), buf_string(&theirs));
	else
		rc = 0;
	if (rc == 0)
		buf_addf(out, "%s %s%s\n", directive, data_ciphers[ours], buf_string(&theirs));
	buf_release(&theirs);
	return rc;
}

/* The reason for each of the phones' ciphers, and the provider that some come from. */
static void
cipher_reasons_add(const struct server_conf_params *p, struct buf *out)
{
	bool legacy = false;

	for (size_t i = 0; i < p->client_count; i++) {
		const char *cipher = p->clients[i].cipher;
		size_t earlier = 0;

		while (strcmp(p->clients[earlier].cipher, cipher) != 0)
			earlier++;
		if (earlier != i)
			continue;
		legacy = legacy || cipher_is_legacy(cipher);
		buf_add_string(out, "# ");
		models_add(p, has_cipher, cipher, out);
		buf_addf(out, ": %s%s. %s\n", cipher,
		    cipher_is_legacy(cipher) ? ", which is weak, and in OpenSSL 3 of its legacy provider only" : "",
		    "They cannot negotiate: what they are set to must be listed.");
	}
	if (legacy)
		buf_add_string(out, "providers legacy default\n");
}

static int
cipher_add(const struct server_conf_params *p, const char *cipher, struct buf *out, struct err *e)
{
	/* What every version from 2.4 on does by itself. */
	if (p->client_count == 0)
		return 0;
	buf_add_string(out,
	    "# 2.4 has data-ciphers by its former name, which later versions take for the same: the last "
	    "line counts.\n"
	    "ignore-unknown-option data-ciphers data-ciphers-fallback providers\n");
	cipher_reasons_add(p, out);
	if (ciphers_add(p, "ncp-ciphers", FIRST_FOR_2_4, out, e) != 0 || ciphers_add(p, "data-ciphers", 0, out, e) != 0)
		return -1;
	buf_addf(out,
	    "# For a client that was built so small that it does not tell its cipher.\n"
	    "data-ciphers-fallback %s\n",
	    cipher);
	return 0;
}

/*
 * Measured with 2.4.12, 2.5.11, 2.6.14 and 2.7.6 as the server, and 2.3.2 and 2.6.14 as clients: 2.3.2 needs comp-lzo of
 * its own for what is pushed, 2.6.14 goes after it in any case.
 */
static void
compression_add(const struct server_conf_params *p, struct buf *out)
{
	if (!any_client(p, has_lzo, NULL))
		return;
	reason_add(p, has_lzo, NULL, "comp-lzo. Nothing is compressed, but packets have its framing.", out);
	if (any_client(p, has_no_lzo, NULL)) {
		reason_add(p, has_no_lzo, NULL,
		    "no comp-lzo. To serve both takes OpenVPN 2.6 or later: 2.4 and 2.5 end at this line.", out);
		buf_add_string(out, "compress migrate\n");
		return;
	}
	buf_add_string(out,
	    "# Later clients take it without comp-lzo of their own, but for those with data channel offload. Where there "
	    "are such,\n"
	    "# and OpenVPN here is 2.6 or later, \"compress migrate\" in place of both lines serves them as well.\n"
	    "comp-lzo no\n"
	    "push \"comp-lzo no\"\n");
}

static void
packet_add(const struct server_conf_params *p, const char *auth, struct buf *out)
{
	if (p->client_count > 0) {
		buf_add_string(out,
		    "# Not negotiated either: with another digest phones connect, and no packet passes.\n");
		reason_add(p, has_other_auth, auth, "some still have bundles with another digest; those carry nothing.",
		    out);
		buf_addf(out, "auth %s\n", auth);
	}
	compression_add(p, out);
	buf_add_string(out, "# 2.6's own 1492 is too large for lines with PPPoE.\n"
			    "mssfix 1450\n");
}

static void
session_add(const struct server_conf_params *p, struct buf *out)
{
	buf_add_string(out, "\n"
			    "keepalive 5 30\n");
	if (p->profile->proto == PROFILE_UDP)
		buf_add_string(out, "# Phones come back within seconds of a restart instead of half a minute.\n"
				    "explicit-exit-notify 1\n");
	if (strlen(p->dir) + strlen("/" SERVER_MANAGEMENT "/socket") <= SOCKET_PATH_MAX)
		server_path_add(out, "management", p->dir, SERVER_MANAGEMENT "/socket", "unix");
	else
		buf_add_string(out, "# No management socket: the path would be longer than a socket's may be.\n");
	buf_add_string(out, "verb 3\n");
}

static void
user_add(const struct server_conf_params *p, struct buf *out)
{
	if (p->user == NULL) {
		buf_add_string(out,
		    "# No persist-key: SIGUSR1 shall load a renewed server.crt and server.key. 2.7 does that at SIGHUP only.\n");
		return;
	}
	buf_addf(out,
	    "\n"
	    "# As this user OpenVPN can read the CRL and the phones' files again, but not the key: for a new certificate\n"
	    "# restart it; at SIGHUP it would end. Phones are away as long after either.\n"
	    "user %s\n",
	    p->user);
	if (p->group != NULL)
		buf_addf(out, "group %s\n", p->group);
	buf_add_string(out, "persist-key\npersist-tun\n");
}

/* At a longer line OpenVPN ends, also at a comment. */
static int
lines_check(const struct buf *text, struct err *e)
{
	for (const char *line = buf_string(text); *line != '\0'; line += strcspn(line, "\n") + 1) {
		size_t len = strcspn(line, "\n");

		if (len > LINE_MAX_BYTES)
			return err_set(e, ERR_INPUT,
			    "server.conf: expected lines of at most %d bytes, found one of %zu: \"%.40s...\"; take a folder "
			    "with a shorter name",
			    LINE_MAX_BYTES, len, line);
	}
	return 0;
}

static int
params_check(const struct server_conf_params *p, struct network *n, const char **cipher, const char **auth,
    struct err *e)
{
	if (profile_parse_cipher(p->profile->cipher, cipher, e) != 0 ||
	    profile_parse_auth(p->profile->auth, auth, e) != 0 || network_parse(p->network, n, e) != 0 ||
	    server_path_check(p->dir, e) != 0)
		return -1;
	if (p->port == 0 || p->port > PORT_MAX)
		return err_set(e, ERR_INPUT, "port of the OpenVPN server: expected 1 to %d, found %u", PORT_MAX,
		    p->port);
	return 0;
}

int
server_conf_render(const struct server_conf_params *params, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT(SERVER_CONF_MAX);
	const char *cipher, *auth;
	struct network n = { 0 };
	int rc = -1;

	if (params_check(params, &n, &cipher, &auth, e) != 0)
		return -1;
	buf_add_string(&text, SERVER_MADE_BY ", for OpenVPN 2.4 to 2.7; 'phonevpn emit server' writes it anew.\n");
	listen_add(params, &text);
	network_add(params, &n, &text);
	files_add(params, &text);
	tls_add(params, &text);
	if (cipher_add(params, cipher, &text, e) != 0)
		goto out;
	packet_add(params, auth, &text);
	session_add(params, &text);
	user_add(params, &text);
	if (buf_check(&text, SERVER_CONF, e) != 0 || lines_check(&text, e) != 0)
		goto out;
	buf_add(out, text.data, text.len);
	rc = buf_check(out, SERVER_CONF, e);
out:
	buf_release(&text);
	return rc;
}

int
server_conf_render_client(const char *network, unsigned int host, struct buf *out, struct err *e)
{
	char address[NETWORK_ADDRESS_SIZE], mask[NETWORK_ADDRESS_SIZE];
	struct network n;

	if (network_parse(network, &n, e) != 0)
		return -1;
	buf_addf(out, SERVER_MADE_BY "\nifconfig-push %s %s\n", network_host(&n, host, address),
	    network_mask(&n, mask));
	return buf_check(out, "client-config file", e);
}
