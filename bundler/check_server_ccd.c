/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/file.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* A phone's client-config file: multi_client_connect_source_ccd() in multi.c of 2.6.14. */

#define CCD_DEFAULT "DEFAULT"
#define CCD_MAX (1 << 16) /* bytes */
#define WHY_SIZE 512

enum ccd_file {
	CCD_ABSENT,
	CCD_UNREADABLE, /* for the user that the server becomes, to whom it is absent */
	CCD_READ,
};

void
server_ccd_open(struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "client-config-dir");
	char why[WHY_SIZE];

	if (config_word(line, 1) == NULL || (s->ccd = server_path(s, line->word[1], true)) == NULL)
		return;
	s->ccd_unreadable = !server_user_reads(s, s->ccd, why, sizeof(why));
	if (s->ccd_unreadable)
		server_found(s, out, server_has(s, "ccd-exclusive") ? SERVER_CCD_EXCLUSIVE : SERVER_CCD_UNREADABLE,
		    line, "expected user %s to read it, found %s", server_word(s, "user", ""), why);
}

/* platform_gen_path() in platform.c; NULL where there is none. */
static char *
ccd_path(const struct check_server *s, const char *common_name)
{
	char *path;

	if (common_name[0] == '\0' || strcmp(common_name, ".") == 0 || strcmp(common_name, "..") == 0)
		return NULL;
	path = text_format("%s/%s", s->ccd, common_name);
	for (char *c = path == NULL ? NULL : path + strlen(s->ccd) + 1; c != NULL && *c != '\0'; c++)
		if (*c == '/')
			*c = '_';
	return path;
}

/* ret_why: what keeps the user from it. Release ret also where it was not read. */
static enum ccd_file
ccd_read(const struct check_server *s, const char *common_name, struct config *ret, char *ret_why, size_t size)
{
	struct buf text = BUF_INIT(CCD_MAX);
	char *path = ccd_path(s, common_name);
	enum ccd_file found = CCD_ABSENT;

	*ret = (struct config){ 0 };
	if (path == NULL || file_read_plain(path, &text, NULL) != 0)
		goto out;
	found = server_user_reads(s, path, ret_why, size) ? CCD_READ : CCD_UNREADABLE;
	if (found == CCD_READ && config_read(text.data, text.len, ret, NULL) != 0)
		config_release(ret);
out:
	free(path);
	buf_release(&text);
	return found;
}

/* With an argument, or as a block, it is an error in the log and nothing else. */
static bool
is_disabled(const struct config *ccd)
{
	const struct config_line *line = NULL;

	while ((line = config_next(ccd, line, "disable")) != NULL)
		if (line->fault == CONFIG_FINE && line->words == 1 && line->content == NULL)
			return true;
	return false;
}

/* A netmask with which the phone has the server on its own network. */
static bool
mask_reaches(const struct check_server *s, uint32_t host, const char *word)
{
	struct in_addr in;
	uint32_t mask;

	if (inet_pton(AF_INET, word, &in) != 1)
		return false;
	mask = ntohl(in.s_addr);
	return mask != 0 && (~mask & (~mask + 1)) == 0 && (host & mask) == ((s->network.address + 1) & mask);
}

/* ifconfig_push_constraint_satisfied() in multi.c, and the address that the server has. */
static void
address_check(const struct check_server *s, const char *name, const struct config_line *line, struct findings *out)
{
	const char *address = config_word(line, 1), *mask = config_word(line, 2);
	struct in_addr in;
	uint32_t host;

	if (!s->network.known || address == NULL || !s->subnet)
		return;
	if (mask == NULL || inet_pton(AF_INET, address, &in) != 1) {
		server_found_phone(s, out, SERVER_CCD_OVERLOOKED, name,
		    "expected ifconfig-push with an address and a netmask, found %s%s", address,
		    mask == NULL ? " alone" : "");
		return;
	}
	host = ntohl(in.s_addr);
	if (!server_network_has(&s->network, host))
		server_found_phone(s, out, SERVER_CCD_ADDRESS, name, "expected an address within server %s, found %s",
		    server_word(s, "server", ""), address);
	else if ((host & ~s->network.mask) == 1)
		server_found_phone(s, out, SERVER_CCD_ADDRESS, name,
		    "expected an address of its own, found %s, which is the server's", address);
	else if (!mask_reaches(s, host, mask))
		server_found_phone(s, out, SERVER_CCD_ADDRESS, name,
		    "expected the server's netmask behind %s, found %s", address, mask);
}

/* What is said in server.conf alone, and for a script to say otherwise. */
static bool
has_pool(const struct check_server *s)
{
	static const char *const others[] = { "ifconfig-pool", "server-bridge", "server-ipv6", "client-connect",
		"plugin", "management-client-auth" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (server_has(s, others[i]))
			return true;
	if (!server_has(s, "server"))
		return s->tap || strcmp(server_word(s, "mode", ""), "server") != 0;
	return s->tap || config_word(config_find(&s->config, "server"), 3) == NULL;
}

/* ccd is that of the phone, or empty. */
static void
push_check(const struct check_server *s, const char *name, const struct config *ccd, struct findings *out)
{
	const struct config_line *push = config_find(ccd, "ifconfig-push"), *lost = server_topology_lost(ccd);

	if (push != NULL)
		address_check(s, name, push, out);
	else if (!has_pool(s))
		server_found_phone(s, out, SERVER_NO_ADDRESS, name,
		    "expected ifconfig-push in its client-config file, or a pool, found neither");
	if (s->subnet && !s->tap && lost != NULL)
		server_found_phone(s, out, SERVER_TOPOLOGY_PUSH, name,
		    "expected \"topology subnet\" to be pushed, found %s", lost->word[0]);
}

/* For ccd-exclusive a file DEFAULT does not count: verify_final_auth_checks() in ssl_verify.c. */
void
server_ccd_phone(const struct check_server *s, const char *name, const char *common_name, struct findings *out)
{
	bool exclusive = server_has(s, "ccd-exclusive");
	struct config ccd = { 0 };
	enum ccd_file found;
	char why[WHY_SIZE];

	if (s->ccd == NULL || s->ccd_unreadable) {
		push_check(s, name, &ccd, out);
		return;
	}
	found = ccd_read(s, common_name, &ccd, why, sizeof(why));
	if (found == CCD_UNREADABLE)
		server_found_phone(s, out, exclusive ? SERVER_CCD_EXCLUSIVE : SERVER_CCD_UNREADABLE, name,
		    "expected user %s to read the file %s in %s, found %s", server_word(s, "user", ""), common_name,
		    s->ccd, why);
	else if (found == CCD_ABSENT && exclusive)
		server_found_phone(s, out, SERVER_CCD_EXCLUSIVE, name, "expected a file %s in %s, found none",
		    common_name, s->ccd);
	if (found != CCD_READ && exclusive)
		return;
	if (found != CCD_READ && ccd_read(s, CCD_DEFAULT, &ccd, why, sizeof(why)) != CCD_READ)
		config_release(&ccd);
	if (is_disabled(&ccd))
		server_found_phone(s, out, SERVER_CCD_DISABLED, name, "expected no disable in %s/%s, found it", s->ccd,
		    found == CCD_READ ? common_name : CCD_DEFAULT);
	else
		push_check(s, name, &ccd, out);
	config_release(&ccd);
}

/* The name that the server looks for is not the certificate's, or not its common name. */
static bool
name_is_other(const struct check_server *s)
{
	const struct config_line *field = config_find(&s->config, "x509-username-field");

	return server_has(s, "username-as-common-name") ||
	       (field != NULL && (field->words != 2 || strcmp(field->word[1], "CN") != 0));
}

bool
server_ccd_refuses(const struct check_server *s, const char *common_name)
{
	bool exclusive = server_has(s, "ccd-exclusive"), refused;
	char why[WHY_SIZE];
	enum ccd_file found;
	struct config ccd;

	if (s->ccd == NULL || name_is_other(s))
		return false;
	if (s->ccd_unreadable)
		return exclusive;
	found = ccd_read(s, common_name, &ccd, why, sizeof(why));
	if (found != CCD_READ && exclusive)
		return true;
	if (found != CCD_READ && ccd_read(s, CCD_DEFAULT, &ccd, why, sizeof(why)) != CCD_READ)
		return false;
	refused = is_disabled(&ccd);
	config_release(&ccd);
	return refused;
}
