/* SPDX-License-Identifier: ISC */
#include "cli/crl_publish.h"

#include "ca/facts.h"
#include "cli/render.h"
#include "cli/server_write.h"
#include "common/file.h"
#include "db/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CRLS_MAX (2 * DB_CRL_MAX)

int
crl_file_replace(const char *path, const struct buf *text, struct err *e)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = 0 } };
	struct stat before, after;
	bool existed = stat(path, &before) == 0;

	if (file_replace(path, text->data, text->len, 0644, e) != 0)
		return -1;
	if (!existed || stat(path, &after) != 0 || after.st_size != before.st_size ||
	    after.st_mtim.tv_sec > before.st_mtim.tv_sec)
		return 0;
	times[1].tv_sec = before.st_mtim.tv_sec + 1;
	return utimensat(AT_FDCWD, path, times, 0) == 0 ? 0 : err_errno(e, ERR_FAILED, errno, "%s: its time", path);
}

static int
crl_check(const char *path, X509_CRL *crl, const struct db_authority *a, struct err *e)
{
	const unsigned char *der = a->cert.data;
	X509 *cert = d2i_X509(NULL, &der, (long)a->cert.len);
	struct ca_crl_facts facts = { .next_update = 0 };
	bool is_its = cert != NULL && crl != NULL && ca_crl_signed_by(crl, cert);

	if (is_its)
		ca_crl_facts(crl, &facts);
	X509_free(cert);
	if (!is_its)
		return err_set(e, ERR_INTEGRITY, "%s: expected the CRL of %s, found %s", path, a->name,
		    crl == NULL ? "none" : "another");
	if (facts.next_update <= time(NULL))
		return err_set(e, ERR_INTEGRITY, "%s: expected a CRL of %s that goes on, found one that has ended",
		    path, a->name);
	return 0;
}

/* As OpenVPN will read it: one CRL of each CA, in their order. */
static int
file_check(struct db *db, const char *path, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;
	BIO *in = BIO_new_file(path, "r");
	int rc;

	if (in == NULL)
		return err_openssl(e, ERR_FAILED, "%s", path);
	rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++) {
		X509_CRL *crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);

		rc = crl_check(path, crl, &all[i], e);
		X509_CRL_free(crl);
	}
	ERR_clear_error();
	db_authority_free(all, count);
	BIO_free(in);
	return rc;
}

/* Not into a folder that a slip of the hand names. */
static int
folder_check(const char *dir, struct err *e)
{
	struct buf conf = BUF_INIT(1 << 20);
	struct err why = ERR_INIT;
	char *path = file_path(dir, SERVER_CONF, e);
	int rc = path == NULL ? -1 : 0;

	if (rc == 0 && file_read_plain(path, &conf, &why) != 0)
		rc = err_set(e, why.code, "server-dir: %s", why.text);
	else if (rc == 0 && strncmp(buf_string(&conf), SERVER_MADE_BY, strlen(SERVER_MADE_BY)) != 0)
		rc = err_set(e, ERR_CONFLICT,
		    "server-dir: %s: expected what 'emit server' has written, found another's", path);
	buf_release(&conf);
	free(path);
	return rc;
}

static int
file_write(struct db *db, const char *path, struct err *e)
{
	struct buf text = BUF_INIT(CRLS_MAX), old = BUF_INIT(CRLS_MAX);
	struct stat st;
	int rc = render_crls(db, &text, e);

	if (rc == 0 &&
	    (file_read_plain(path, &old, NULL) != 0 || old.len != text.len ||
		memcmp(old.data, text.data, old.len) != 0 || stat(path, &st) != 0 || (st.st_mode & 07777) != 0644))
		rc = crl_file_replace(path, &text, e);
	buf_release(&old);
	buf_release(&text);
	return rc;
}

int
crl_publish(struct db *db, const struct settings *s, struct err *e)
{
	const char *dir = s->value[SET_SERVER_DIR];
	char *path;
	int rc = -1;

	if (dir[0] == '\0')
		return err_set(e, ERR_NOT_FOUND,
		    "server-dir: not set; 'phonevpn config set server-dir DIR' names the folder of 'emit server'");
	path = file_path(dir, SERVER_CRL, e);
	if (path != NULL && folder_check(dir, e) == 0 && server_write_serials(db, dir, e) == 0 &&
	    file_write(db, path, e) == 0)
		rc = file_check(db, path, e);
	free(path);
	return rc;
}

int
crl_tell(struct db *db, const struct settings *s, const char **ret_todo, struct err *e)
{
	*ret_todo = NULL;
	if (s->value[SET_SERVER_DIR][0] == '\0') {
		*ret_todo =
		    "the OpenVPN server does not know yet: run 'phonevpn emit server --out DIR', or write only the new CRL "
		    "with 'phonevpn crl --out FILE' to where its crl-verify points";
		return 0;
	}
	return crl_publish(db, s, e) != 0 ? err_prefix(e, "revoked, but the OpenVPN server does not know") : 0;
}
