/* SPDX-License-Identifier: ISC */
#include "bundler/check_server.h"

#include "bundler/check_server_parts.h"
#include "common/file.h"
#include "common/text.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

static void __attribute__((format(printf, 4, 0)))
found(struct findings *out, enum server_rule rule, const struct finding_place *place, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	findings_add(out, &check_server_rules[rule], place, "%s", text);
}

void
server_found(const struct check_server *s, struct findings *out, enum server_rule rule, const struct config_line *line,
    const char *fmt, ...)
{
	const struct finding_place place = {
		.file = line != NULL ? s->origin[line - s->config.line].file : s->file,
		.line = line != NULL ? line->number : 0,
		.element = line != NULL && server_is_word(line->word[0]) ? line->word[0] : NULL,
	};
	va_list ap;

	va_start(ap, fmt);
	found(out, rule, &place, fmt, ap);
	va_end(ap);
}

void
server_found_phone(const struct check_server *s, struct findings *out, enum server_rule rule, const char *phone,
    const char *fmt, ...)
{
	const struct finding_place place = { .file = s->file, .element = phone };
	va_list ap;

	va_start(ap, fmt);
	found(out, rule, &place, fmt, ap);
	va_end(ap);
}

const char *
server_word(const struct check_server *s, const char *name, const char *otherwise)
{
	const char *value = config_word(config_find(&s->config, name), 1);

	return value != NULL ? value : otherwise;
}

bool
server_has(const struct check_server *s, const char *name)
{
	return config_find(&s->config, name) != NULL;
}

/* Behind each "cd". */
static int
chroot_set(struct check_server *s, struct err *e)
{
	const char *chroot = server_word(s, "chroot", NULL);

	if (chroot != NULL && (s->chroot = server_path(s, chroot, false)) == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	return 0;
}

static struct check_server *
server_new(const char *name, const struct check_clock *clock, struct err *e)
{
	struct check_server *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->text = (struct buf)BUF_INIT(CONFIG_MAX);
		s->clock = clock;
		s->file = strdup(name);
	}
	if (s != NULL && s->file != NULL)
		return s;
	err_set(e, ERR_FAILED, "%s: no memory", name);
	check_server_close(s);
	return NULL;
}

static int
server_judge(struct check_server *s, struct findings *out, struct err *e)
{
	if (server_config_read(s, &s->text, out, e) != 0 || chroot_set(s, e) != 0)
		return -1;
	server_directives_open(s, out);
	server_options_open(s, out);
	server_files_open(s, out);
	server_network_open(s, out);
	server_conflicts_open(s, out);
	server_routes_open(s, out);
	server_tls_open(s, out);
	server_wrap_open(s, out);
	server_data_open(s, out);
	server_comp_open(s, out);
	server_cert_open(s, out);
	server_crl_open(s, out);
	server_access_open(s, out);
	server_ccd_open(s, out);
	ERR_clear_error();
	return 0;
}

int
check_server_open(const char *file, const struct check_clock *clock, struct findings *out, struct check_server **ret,
    struct err *e)
{
	struct check_server *s = server_new(file, clock, e);

	if (s == NULL || file_read(file, &s->text, e) != 0 || server_judge(s, out, e) != 0) {
		check_server_close(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int
check_server_open_text(const char *name, const struct buf *text, const struct check_clock *clock, struct findings *out,
    struct check_server **ret, struct err *e)
{
	struct check_server *s = server_new(name, clock, e);

	if (s != NULL)
		buf_add(&s->text, text->data, text->len);
	if (s == NULL || buf_check(&s->text, name, e) != 0 || server_judge(s, out, e) != 0) {
		check_server_close(s);
		return -1;
	}
	*ret = s;
	return 0;
}

void
check_server_close(struct check_server *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->authority_count; i++)
		X509_CRL_free(s->authority[i].crl);
	free(s->authority);
	sk_X509_CRL_pop_free(s->crls, X509_CRL_free);
	X509_STORE_free(s->store);
	ca_voucher_free(s->voucher);
	sk_X509_pop_free(s->phone_chain, X509_free);
	sk_X509_pop_free(s->cas, X509_free);
	sk_X509_pop_free(s->sent, X509_free);
	X509_free(s->cert);
	SSL_CTX_free(s->ssl);
	server_library_free(s);
	free(s->ccd);
	free(s->crl_dir);
	free(s->chroot);
	free(s->folder);
	free(s->file);
	config_release(&s->config);
	buf_release(&s->text);
	free(s->origin);
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i]);
	free(s->files);
	free(s);
}

void
check_server_model(struct check_server *s, const char *name, const struct model *m, struct findings *out)
{
	if (m == NULL || !m->ciphers_may_differ || s->model_told)
		return;
	server_found_phone(s, out, SERVER_MODEL, name, "%s: judged as OpenVPN 2.3.2 with TLS 1.0", m->name);
	s->model_told = true;
}

void
check_server_against(struct check_server *s, const char *client_name, const struct client_side *c,
    const struct model *m, struct findings *out)
{
	check_server_model(s, client_name, m, out);
	sk_X509_pop_free(s->phone_chain, X509_free);
	s->phone_chain = c->chain == NULL ? NULL : X509_chain_up_ref(c->chain);
	server_network_against(s, client_name, c, out);
	server_routes_against(s, client_name, c, out);
	server_tls_old(s, out);
	server_tls_against(s, client_name, c, out);
	server_wrap_against(s, client_name, c, out);
	server_data_against(s, client_name, c, out);
	server_comp_against(s, client_name, c, out);
	server_cert_against(s, client_name, c, out);
	ERR_clear_error();
}

void
check_server_alone(struct check_server *s, struct findings *out)
{
	server_tls_old(s, out);
	server_tls_alone(s, out);
	server_data_alone(s, out);
	server_comp_alone(s, out);
	ERR_clear_error();
}
