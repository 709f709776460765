/* SPDX-License-Identifier: ISC */
#include "bundler/server_conf.h"
#include "cli/commands.h"
#include "cli/issuer.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/pem.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	OPT_OUT,
};

static const struct option_def options[] = {
	[OPT_OUT] = { "out", "DIR", "folder for the files (required); made when it is not there" },
	OPTION_END,
};

#define FILE_COUNT 5

struct server_file {
	const char *name;
	mode_t mode;
	struct buf text;
};

static int
pem_of(const struct buf *der, const char *label, struct buf *out, struct err *e)
{
	return pem_encode(label, der->data, der->len, out, e);
}

static int
render_cas(struct db *db, struct buf *certs, struct buf *crls, struct err *e)
{
	struct buf crl = BUF_INIT(DB_CRL_MAX);
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc;

	rc = db_authority_all(db, &all, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++) {
		buf_clear(&crl);
		if (pem_of(&all[i].cert, PEM_LABEL_CERTIFICATE, certs, e) != 0 ||
		    db_authority_crl(db, all[i].id, &crl, e) != 0 || pem_of(&crl, PEM_LABEL_CRL, crls, e) != 0)
			rc = -1;
	}
	db_authority_free(all, count);
	buf_release(&crl);
	return rc;
}

static int
render_identity(struct db *db, struct buf *cert, struct buf *key, struct err *e)
{
	struct buf cert_der = BUF_INIT(DB_DER_MAX), key_der = BUF_INIT(DB_DER_MAX);
	struct db_certificate server;
	int rc = -1;

	if (db_certificate_server(db, &server, e) == 0 &&
	    db_certificate_der(db, server.serial, &cert_der, &key_der, e) == 0 &&
	    pem_of(&cert_der, PEM_LABEL_CERTIFICATE, cert, e) == 0 && pem_of(&key_der, PEM_LABEL_KEY, key, e) == 0)
		rc = 0;
	buf_release(&cert_der);
	buf_release(&key_der);
	return rc;
}

static int
render_conf(const struct settings *s, struct buf *out, struct err *e)
{
	struct profile_params profile;
	struct server_conf_params params = {
		.profile = &profile,
		.port = (unsigned int)settings_number(s, SET_VPN_PORT),
		.network = s->value[SET_VPN_NETWORK],
	};

	return settings_profile(s, &profile, e) != 0 ? -1 : server_conf_render(&params, out, e);
}

/* All are rendered before the first is written. */
static int
write_files(const char *dir, struct server_file *files, struct err *e)
{
	if (file_make_dir(dir, 0755, NULL, e) != 0)
		return -1;
	for (size_t i = 0; i < FILE_COUNT; i++) {
		char *path = file_path(dir, files[i].name, e);
		int rc = path == NULL ? -1
		                      : file_replace(path, files[i].text.data, files[i].text.len, files[i].mode, e);

		free(path);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
server_run(const struct invocation *in, struct err *e)
{
	enum { CA, CERT, KEY, CRL, CONF };
	struct server_file files[FILE_COUNT] = {
		[CA] = { "ca.crt", 0644, BUF_INIT(1 << 20) },
		[CERT] = { "server.crt", 0644, BUF_INIT(DB_DER_MAX) },
		[KEY] = { "server.key", 0600, BUF_INIT(DB_DER_MAX) },
		[CRL] = { "crl.pem", 0644, BUF_INIT(2 * DB_CRL_MAX) },
		[CONF] = { "server.conf", 0644, BUF_INIT(DB_DER_MAX) },
	};
	const char *dir = in->option[OPT_OUT];
	struct settings s;
	struct db *db;
	int rc = -1;

	if (dir == NULL)
		return err_set(e, ERR_USAGE, "emit server: expected --out DIR, found none");
	db = state_open(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || render_cas(db, &files[CA].text, &files[CRL].text, e) != 0 ||
	    render_identity(db, &files[CERT].text, &files[KEY].text, e) != 0 ||
	    render_conf(&s, &files[CONF].text, e) != 0)
		goto out;
	rc = write_files(dir, files, e);
	if (rc == 0 && in->json)
		rc = command_print_json(json_pack("{s:s}", "dir", dir), e);
	else if (rc == 0 && !in->quiet)
		(void)printf("%s: ca.crt, server.crt, server.key, crl.pem and server.conf\n"
			     "start it with: openvpn --cd %s --config server.conf\n",
		    dir, dir);
out:
	for (size_t i = 0; i < FILE_COUNT; i++)
		buf_release(&files[i].text);
	db_close(db);
	return rc;
}

const struct command command_emit_server = {
	.name = "emit server",
	.summary = "Write what an OpenVPN 2.6 server needs to take the phones",
	.details =
	    "ca.crt, server.crt, server.key (0600), crl.pem and server.conf. OpenVPN reads a new crl.pem by itself; after "
	    "any other change it has to be restarted.",
	.options = options,
	.run = server_run,
};
