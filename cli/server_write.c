/* SPDX-License-Identifier: ISC */
#include "cli/server_write.h"

#include "ca/crl.h"
#include "cli/crl_publish.h"
#include "common/file.h"
#include "common/tree.h"
#include "db/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENT_FILE_MAX 256
#define PENDING ".phonevpn.then"
#define PENDING_MAX 64

const char *
server_then_name(enum server_then then)
{
	static const char *const names[] = {
		[SERVER_THEN_NOTHING] = "nothing",
		[SERVER_THEN_RELOAD] = "reload",
		[SERVER_THEN_RESTART] = "restart",
	};

	return names[then];
}

void
server_change_release(struct server_change *c)
{
	json_decref(c->changed);
	json_decref(c->removed);
	json_decref(c->foreign);
	*c = (struct server_change){ .changed = NULL };
}

/* folder NULL: at the top. */
static int
note(json_t *list, const char *folder, const char *name, struct err *e)
{
	json_t *path = json_sprintf("%s%s%s", folder != NULL ? folder : "", folder != NULL ? "/" : "", name);

	return json_array_append_new(list, path) != 0 ? err_set(e, ERR_FAILED, "JSON: no memory") : 0;
}

/* ---- the files at the top ---- */

/* What is there now; *ret_exists false when nothing is. */
static int
read_old(const char *path, struct buf *out, mode_t *ret_mode, bool *ret_exists, struct err *e)
{
	struct err mine = ERR_INIT;
	struct stat st;

	*ret_exists = file_read_plain(path, out, &mine) == 0;
	if (!*ret_exists && mine.code != ERR_NOT_FOUND)
		return err_set(e, mine.code, "%s", mine.text);
	*ret_mode = *ret_exists && stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
	return 0;
}

static int
check_ours(const char *path, const struct buf *old, struct err *e)
{
	if (strncmp(buf_string(old), SERVER_MADE_BY, strlen(SERVER_MADE_BY)) == 0)
		return 0;
	return err_set(e, ERR_CONFLICT,
	    "%s: expected phonevpn's own file or none, found another; take another folder, or move it away first",
	    path);
}

/* A running server that was started with this configuration: can it read its key and the rest once more? */
static enum server_then
then_of(const struct buf *old_conf)
{
	return strstr(buf_string(old_conf), "\nuser ") != NULL ? SERVER_THEN_RESTART : SERVER_THEN_RELOAD;
}

/* What the top of the folder is found to need, before anything is written. */
struct top {
	bool differs[SERVER_FILE_COUNT];
	struct buf old_conf;
	bool has_conf;
	bool begun; /* a run of ours that did not come to its end */
};

static int
top_compare(const char *dir, enum server_file_kind kind, const struct buf *text, struct top *top,
    struct server_change *c, struct err *e)
{
	struct buf old = BUF_INIT(text->max);
	char *path = file_path(dir, server_file_name(kind), e);
	bool exists = false, same;
	mode_t mode = 0;
	int rc = -1;

	if (path == NULL || read_old(path, &old, &mode, &exists, e) != 0)
		goto out;
	if (exists && !top->has_conf && !top->begun) {
		err_set(e, ERR_CONFLICT,
		    "%s: expected none beside no %s, found another's; move it away, or take another folder", path,
		    SERVER_CONF);
		goto out;
	}
	same = exists && old.len == text->len && memcmp(old.data, text->data, old.len) == 0;
	top->differs[kind] = !same || mode != server_file_mode(kind);
	if (kind == SERVER_FILE_KEY && exists && (mode & (S_IRWXG | S_IRWXO)) != 0)
		c->key_mode = mode;
	/* Comments name models, which come and go. */
	if (!same && kind != SERVER_FILE_CRL &&
	    !(kind == SERVER_FILE_CONF && exists && server_conf_is_same(&old, text)) && top->has_conf)
		c->then = then_of(&top->old_conf) > c->then ? then_of(&top->old_conf) : c->then;
	rc = top->differs[kind] ? note(c->changed, NULL, server_file_name(kind), e) : 0;
out:
	buf_release(&old);
	free(path);
	return rc;
}

/*
 * What a run that did not come to its end had to tell is kept in a file until a run does: the next one finds the files
 * as they shall be, and the server still has the old ones.
 */
static int
pending_read(const char *dir, struct top *top, struct server_change *c, struct err *e)
{
	struct buf text = BUF_INIT(PENDING_MAX);
	char *path = file_path(dir, PENDING, e);
	mode_t mode;
	int rc = path == NULL ? -1 : read_old(path, &text, &mode, &top->begun, e);

	if (top->begun)
		c->then = strcmp(buf_string(&text), server_then_name(SERVER_THEN_RELOAD)) == 0 ? SERVER_THEN_RELOAD
		                                                                               : SERVER_THEN_RESTART;
	buf_release(&text);
	free(path);
	return rc;
}

static int
pending_write(const char *dir, const struct server_change *c, struct err *e)
{
	const char *name = server_then_name(c->then);
	char *path = file_path(dir, PENDING, e);
	int rc = path == NULL ? -1 : 0;

	if (rc == 0 && c->then != SERVER_THEN_NOTHING && !c->dry_run)
		rc = file_replace(path, name, strlen(name), 0644, e);
	free(path);
	return rc;
}

static int
pending_remove(const char *dir, struct err *e)
{
	char *path = file_path(dir, PENDING, e);
	int rc = path == NULL ? -1 : 0;

	if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
		rc = err_errno(e, ERR_FAILED, errno, "%s", path);
	free(path);
	return rc;
}

static int
top_plan(const char *dir, const struct server_files *files, struct top *top, struct server_change *c, struct err *e)
{
	char *path = file_path(dir, SERVER_CONF, e);
	mode_t mode;
	int rc = -1;

	if (path == NULL || read_old(path, &top->old_conf, &mode, &top->has_conf, e) != 0 ||
	    (top->has_conf && check_ours(path, &top->old_conf, e) != 0) || pending_read(dir, top, c, e) != 0)
		goto out;
	rc = 0;
	for (unsigned int i = 0; i < SERVER_FILE_COUNT && rc == 0; i++)
		rc = top_compare(dir, (enum server_file_kind)i, &files->text[i], top, c, e);
	c->is_new = !top->has_conf;
	if (!top->has_conf)
		c->then = SERVER_THEN_RESTART;
out:
	free(path);
	return rc;
}

static int
top_write(const char *dir, enum server_file_kind kind, const struct server_files *files, const struct top *top,
    struct err *e)
{
	const struct buf *text = &files->text[kind];
	char *path;
	int rc = -1;

	if (!top->differs[kind])
		return 0;
	path = file_path(dir, server_file_name(kind), e);
	if (path != NULL && kind == SERVER_FILE_CRL)
		rc = crl_file_replace(path, text, e);
	else if (path != NULL)
		rc = file_replace(path, text->data, text->len, server_file_mode(kind), e);
	free(path);
	return rc;
}

/* ---- a file for each phone ---- */

struct clients {
	struct tree tree;
	const char *network;
	char **names;
	size_t count, size;
	struct server_change *change;
};

/* OpenVPN's way from a common name to a file (platform_gen_path() in platform.c); false when it takes none. */
static bool
client_file_name(const char *common_name, char *out, size_t size)
{
	size_t len = strlen(common_name);

	if (len == 0 || len >= size || common_name[0] == '.' || strcmp(common_name, "DEFAULT") == 0)
		return false;
	for (size_t i = 0; i <= len; i++)
		out[i] = common_name[i] == '/' ? '_' : common_name[i];
	return true;
}

static int
clients_keep(struct clients *c, const char *name, struct err *e)
{
	char *copy = strdup(name);

	if (copy != NULL && c->count == c->size) {
		size_t size = c->size == 0 ? 64 : c->size * 2;
		char **names = reallocarray(c->names, size, sizeof(*names));

		if (names != NULL) {
			c->names = names;
			c->size = size;
		}
	}
	if (copy == NULL || c->count == c->size) {
		free(copy);
		return err_set(e, ERR_FAILED, "client-config files: no memory");
	}
	c->names[c->count++] = copy;
	return 0;
}

static int
client_write(const struct db_host *h, void *arg, struct err *e)
{
	struct clients *c = arg;
	struct buf text = BUF_INIT(CLIENT_FILE_MAX);
	struct err mine = ERR_INIT;
	char name[sizeof(h->name)];
	bool written = false;
	int rc = -1;

	if (!client_file_name(h->name, name, sizeof(name)))
		return 0;
	if (server_conf_render_client(c->network, h->host, &text, e) != 0 || clients_keep(c, name, e) != 0)
		goto out;
	rc = tree_put(&c->tree, name, text.data, text.len, 0644, &written, &mine);
	if (rc != 0 && mine.code == ERR_CONFLICT) {
		/* Of one phone; the others, and the server, must not wait for its file to be moved. */
		rc = note(c->change->foreign, SERVER_CCD, name, e);
	} else if (rc != 0) {
		err_set(e, mine.code, "%s", mine.text);
	} else if (written) {
		c->change->clients++;
		rc = note(c->change->changed, SERVER_CCD, name, e);
	}
out:
	buf_release(&text);
	return rc;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
client_is_kept(const char *name, void *arg)
{
	const struct clients *c = arg;

	return c->count > 0 && bsearch(&name, c->names, c->count, sizeof(*c->names), compare_names) != NULL;
}

static int
client_removed(const char *name, void *arg, struct err *e)
{
	struct clients *c = arg;

	c->change->clients_removed++;
	return note(c->change->removed, SERVER_CCD, name, e);
}

static int
write_clients(struct db *db, const char *network, const char *dir, struct server_change *change, struct err *e)
{
	struct clients c = { .tree = TREE_INIT, .network = network, .change = change };
	char *path = file_path(dir, SERVER_CCD, e);
	int rc = -1;

	if (path == NULL || tree_open(&c.tree, path, 0755, SERVER_MADE_BY, change->dry_run, e) != 0 ||
	    db_host_each(db, client_write, &c, e) != 0)
		goto out;
	if (c.count > 0)
		qsort(c.names, c.count, sizeof(*c.names), compare_names);
	rc = tree_prune(&c.tree, client_is_kept, client_removed, &c, e);
out:
	if (tree_close(&c.tree, rc != 0, e) != 0)
		rc = -1;
	for (size_t i = 0; i < c.count; i++)
		free(c.names[i]);
	free(c.names);
	free(path);
	return rc;
}

/* ---- a file for each revoked serial ---- */

struct serials {
	struct tree tree;
	struct server_change *change;
};

static int
serial_write(const struct db_certificate *certificate, void *arg, struct err *e)
{
	struct serials *s = arg;
	char decimal[CA_SERIAL_DECIMAL_SIZE];
	bool written = false;

	if (certificate->dropped)
		return 0;
	if (ca_serial_decimal(certificate->serial, decimal, e) != 0 ||
	    tree_put(&s->tree, decimal, "", 0, 0644, &written, e) != 0)
		return -1;
	s->change->serials += written;
	return written ? note(s->change->changed, SERVER_CRL_DIR, decimal, e) : 0;
}

/* Nothing is ever taken away: a revocation is for good. */
static int
write_serials(struct db *db, const char *dir, struct server_change *change, struct err *e)
{
	const struct db_certificate_filter revoked = { .revoked = true };
	struct serials s = { .tree = TREE_INIT, .change = change };
	char *path = file_path(dir, SERVER_CRL_DIR, e);
	int rc = -1;

	if (path != NULL && tree_open(&s.tree, path, 0755, NULL, change->dry_run, e) == 0)
		rc = db_certificate_each(db, &revoked, serial_write, &s, e);
	if (tree_close(&s.tree, rc != 0, e) != 0)
		rc = -1;
	free(path);
	return rc;
}

int
server_write_serials(struct db *db, const char *dir, struct err *e)
{
	struct server_change change = { .changed = json_array() };
	int rc = write_serials(db, dir, &change, e);

	server_change_release(&change);
	return rc;
}

/* OpenVPN makes its socket there for everybody (umask 0), so the folder is its owner's only. */
static int
make_management(const char *dir, struct err *e)
{
	char *path = file_path(dir, SERVER_MANAGEMENT, e);
	int rc = path == NULL ? -1 : file_claim_dir(path, 0700, e);

	free(path);
	return rc;
}

/* Revocations first: whatever else fails, they hold. The configuration comes last, when all that it names is there. */
static int
write_all(struct db *db, const struct settings *s, const char *dir, const struct server_files *files,
    const struct top *top, struct server_change *c, struct err *e)
{
	int rc = 0;

	if (pending_write(dir, c, e) != 0 || write_serials(db, dir, c, e) != 0 ||
	    (!c->dry_run && (top_write(dir, SERVER_FILE_CRL, files, top, e) != 0 || make_management(dir, e) != 0)) ||
	    write_clients(db, s->value[SET_VPN_NETWORK], dir, c, e) != 0)
		return -1;
	for (unsigned int i = SERVER_FILE_CRL + 1; i < SERVER_FILE_COUNT && rc == 0 && !c->dry_run; i++)
		rc = top_write(dir, (enum server_file_kind)i, files, top, e);
	return rc;
}

int
server_write(struct db *db, const struct settings *s, const char *dir, const struct server_files *files, bool dry_run,
    struct server_change *ret, struct err *e)
{
	struct top top = { .old_conf = BUF_INIT(files->text[SERVER_FILE_CONF].max) };
	int rc;

	*ret = (struct server_change){
		.dry_run = dry_run, .changed = json_array(), .removed = json_array(), .foreign = json_array()
	};
	rc = top_plan(dir, files, &top, ret, e);
	if (rc == 0)
		rc = write_all(db, s, dir, files, &top, ret, e);
	if (rc == 0 && !dry_run)
		rc = pending_remove(dir, e);
	buf_release(&top.old_conf);
	return rc;
}
