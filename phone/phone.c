/* SPDX-License-Identifier: ISC */
#include "phone/phone.h"

#include "common/file.h"
#include "common/text.h"
#include "phone/commands.h"
#include "phone/fetch.h"
#include "phone/settings.h"

#include <string.h>

#define LOGGING_VERB "4" /* what OpenVPN makes of every directive, and no byte of a packet */

struct identity {
	char mac[MAC_SIZE], model[MODEL_NAME_SIZE], firmware[FIRMWARE_SIZE]; /* "" when not given */
};

static int
identity_read(const char *mac, const char *model, const char *firmware, struct identity *ret, struct err *e)
{
	const struct model *m;
	struct firmware f;
	char shown[40];

	memset(ret, 0, sizeof(*ret));
	if (mac != NULL && mac_parse(mac, ret->mac, e) != 0)
		return -1;
	if (firmware != NULL) {
		if (firmware_parse(firmware, &f, e) != 0)
			return -1;
		firmware_format(&f, ret->firmware);
	}
	if (model != NULL) {
		m = model_find(model);
		if (m == NULL)
			return err_set(e, ERR_INPUT,
			    "model: expected D40, D45, D50, D60, D62, D65, D70 or D80, found \"%s\"",
			    text_printable(model, shown, sizeof(shown)));
		memcpy(ret->model, m->name, sizeof(ret->model));
	}
	return 0;
}

static int
identity_parse(const struct invocation *in, struct identity *ret, struct err *e)
{
	const char *const *g = in->global;

	return identity_read(g[GLOBAL_MAC], g[GLOBAL_MODEL], g[GLOBAL_FIRMWARE], ret, e) == 0 ? 0 : err_usage(e);
}

/* model and firmware of the store, looked up. */
static int
identity_resolve(struct phone *p, struct err *e)
{
	p->model = model_find(p->store.model);
	if (p->model == NULL || firmware_parse(p->store.firmware, &p->firmware, NULL) != 0)
		return err_set(e, ERR_INTEGRITY, "%s: expected a model and a firmware in state.json, found none",
		    p->store.dir != NULL ? p->store.dir : p->store.mac);
	p->why = (struct err)ERR_INIT;
	p->vpn = model_check_openvpn(p->model, &p->firmware, &p->why) == 0;
	return 0;
}

static int
check_mac(const struct store *s, const struct identity *id, struct err *e)
{
	if (id->mac[0] != '\0' && strcmp(id->mac, s->mac) != 0)
		return err_set(e, ERR_CONFLICT, "%s: expected phone %s, which lives there, found --mac %s", s->dir,
		    s->mac, id->mac);
	return 0;
}

/* A phone's first boot, or an upgrade. *ret_changed: the store is to be written. */
static int
identity_update(struct store *s, const struct identity *id, bool *ret_changed, struct err *e)
{
	*ret_changed = s->fresh;
	if (s->fresh) {
		memcpy(s->mac, id->mac, sizeof(s->mac));
	} else if (check_mac(s, id, e) != 0) {
		return -1;
	}
	if (id->model[0] != '\0' && strcmp(id->model, s->model) != 0) {
		memcpy(s->model, id->model, sizeof(s->model));
		*ret_changed = true;
	}
	if (id->firmware[0] != '\0' && strcmp(id->firmware, s->firmware) != 0) {
		memcpy(s->firmware, id->firmware, sizeof(s->firmware));
		*ret_changed = true;
	}
	return 0;
}

/* Before anything is made on the disk: a new phone needs all three. */
static int
identity_check(const char *dir, const struct identity *id, struct err *e)
{
	struct err mine = ERR_INIT;
	struct store look;

	if (id->mac[0] != '\0' && id->model[0] != '\0' && id->firmware[0] != '\0')
		return 0;
	if (store_look(dir, &look, &mine) == 0) {
		store_close(&look);
		return 0;
	}
	if (mine.code == ERR_NOT_FOUND)
		return err_set(e, ERR_USAGE,
		    "%s: expected --mac, --model and --firmware at a phone's first boot, found not "
		    "all of them",
		    dir);
	return err_set(e, mine.code, "%s", mine.text);
}

static int
state_dir(const struct invocation *in, const char **ret, struct err *e)
{
	*ret = in->global[GLOBAL_STATE];
	if (*ret == NULL || (*ret)[0] == '\0')
		return err_set(e, ERR_USAGE, "expected --state DIR, the folder of what the phone keeps, found none");
	return 0;
}

int
phone_open_boot(const struct invocation *in, const char *dir, struct phone *ret, bool *ret_upgraded, struct err *e)
{
	struct identity id;
	bool changed, was_fresh;

	if ((dir == NULL && state_dir(in, &dir, e) != 0) || identity_parse(in, &id, e) != 0 ||
	    identity_check(dir, &id, e) != 0 || store_open(dir, &ret->store, e) != 0)
		return -1;
	was_fresh = ret->store.fresh;
	if (identity_update(&ret->store, &id, &changed, e) != 0 || identity_resolve(ret, e) != 0 ||
	    store_tidy(&ret->store, e) != 0 || (changed && store_save(&ret->store, e) != 0)) {
		phone_close(ret);
		return -1;
	}
	*ret_upgraded = changed && !was_fresh;
	return 0;
}

int
phone_in_memory(const char *mac, const char *model, const char *firmware, struct phone *ret, struct err *e)
{
	struct identity id;
	bool changed;

	if (identity_read(mac, model, firmware, &id, e) != 0)
		return -1;
	store_memory(&ret->store);
	if (identity_update(&ret->store, &id, &changed, e) == 0 && identity_resolve(ret, e) == 0)
		return 0;
	phone_close(ret);
	return -1;
}

int
phone_open(const struct invocation *in, bool change, struct phone *ret, struct err *e)
{
	struct identity id;
	struct store look;
	const char *dir;

	if (state_dir(in, &dir, e) != 0 || identity_parse(in, &id, e) != 0 || store_look(dir, &look, e) != 0)
		return -1;
	if (!change) {
		ret->store = look;
	} else {
		store_close(&look);
		if (store_open(dir, &ret->store, e) != 0)
			return -1;
	}
	if (check_mac(&ret->store, &id, e) != 0 || identity_resolve(ret, e) != 0)
		goto failed;
	if ((id.model[0] != '\0' && strcmp(id.model, ret->store.model) != 0) ||
	    (id.firmware[0] != '\0' && strcmp(id.firmware, ret->store.firmware) != 0)) {
		err_set(e, ERR_CONFLICT,
		    "%s: expected a %s with %s, found other options; boot it with them to upgrade it", dir,
		    ret->store.model, ret->store.firmware);
		goto failed;
	}
	return 0;
failed:
	phone_close(ret);
	return -1;
}

void
phone_close(struct phone *p)
{
	store_close(&p->store);
}

int
phone_read_bundle(const struct phone *p, struct ovpn *ret, struct err *e)
{
	struct buf bundle = BUF_INIT(STORE_BUNDLE_MAX);
	int rc = -1;

	if (store_bundle_load(&p->store, store_md5(&p->store), &bundle, e) == 0)
		rc = ovpn_read(bundle.data, bundle.len, p->model, ret, e);
	buf_release(&bundle);
	return rc;
}

int
phone_check_certificate(const struct ovpn *o, time_t clock, struct certificate_cache *cache,
    struct certificate_info *ret, struct err *e)
{
	const struct certificate_pem pem = {
		.ca = o->ca.data,
		.ca_len = o->ca.len,
		.cert = o->cert.data,
		.cert_len = o->cert.len,
		.key = o->key.data,
		.key_len = o->key.len,
	};

	return certificate_check(&pem, clock, cache, ret, e);
}

int
phone_limit(const struct phone *p, const struct ovpn *o, struct limits_offer *ret_offer, struct limits *ret,
    struct err *e)
{
	if (limits_look(p->model, &p->firmware, ret_offer, e) != 0 || limits_apply(ret_offer, p->model, o, ret, e) != 0)
		return -1;
	/* "capture extra OpenVPN logging"; the last verb counts. How much more is not known. */
	if (p->store.logging)
		buf_add_string(&ret->config, "verb " LOGGING_VERB "\n");
	return 0;
}

int
phone_connect(struct phone *p, const struct buf *config, const struct tunnel_options *o, struct tunnel_status *ret,
    enum verdict *ret_verdict, struct err *e)
{
	struct store *s = &p->store;
	struct err mine = ERR_INIT;

	/* Written first: whoever finds a tunnel later knows what it was started with, or something newer. */
	memcpy(s->tunnel_md5, store_md5(s), sizeof(s->tunnel_md5));
	s->tunnel_failure[0] = '\0';
	*ret_verdict = VERDICT_FAILED;
	if (store_save(s, e) != 0)
		return -1;
	if (tunnel_start(s->dir, config, o, ret, ret_verdict, &mine) == 0)
		return 0;
	(void)text_printable(mine.text, s->tunnel_failure, sizeof(s->tunnel_failure));
	(void)store_save(s, NULL);
	return err_set(e, mine.code, "%s", mine.text);
}

int
phone_take_url(struct phone *p, const char *url, const char *file, struct err *e)
{
	struct buf text = BUF_INIT(SETTINGS_URL_SIZE), full = BUF_INIT(SETTINGS_URL_SIZE + 32);
	struct store *s = &p->store;
	int rc = -1;

	if (url != NULL && file != NULL)
		return err_set(e, ERR_USAGE, "expected --config-url or --config-url-file, found both");
	if (file != NULL) {
		if (file_read_secret(file, &text, e) != 0)
			goto out;
		url = buf_string(&text);
	}
	rc = 0;
	if (url == NULL || strcmp(url, s->config_url) == 0)
		goto out;
	rc = text_is_clean(url, strlen(url))
	         ? fetch_config_url(url, s->mac, &full, e)
	         : err_set(e, ERR_INPUT, "URL: expected UTF-8 without control characters, found other bytes");
	if (rc == 0)
		rc = text_copy(s->config_url, sizeof(s->config_url), url, "config-url", e);
	rc = rc == 0 ? store_save(s, e) : err_usage(e);
out:
	buf_release(&text);
	buf_release(&full);
	return rc;
}
