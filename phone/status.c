/* SPDX-License-Identifier: ISC */
#include "phone/status.h"

#include "phone/commands.h"

#include <stdio.h>

static const char *const shields[] = {
	[SHIELD_NONE] = "none",
	[SHIELD_BLUE] = "blue",
	[SHIELD_RED] = "red",
};

static const char *const connections[] = {
	[TUNNEL_DOWN] = "Disconnected",
	[TUNNEL_CONNECTING] = "Connecting",
	[TUNNEL_CONNECTED] = "Connected",
};

int
status_collect(const struct phone *p, struct status *ret, struct err *e)
{
	struct buf bundle = BUF_INIT(STORE_BUNDLE_MAX);
	struct status s = { .phone = p };

	if (tunnel_look(p->store.dir, &s.tunnel, e) != 0)
		return -1;
	s.stored = store_bundle_load(&p->store, store_md5(&p->store), &bundle, NULL) == 0;
	buf_release(&bundle);
	s.menu = p->vpn && store_enabled(&p->store);
	if (s.menu) {
		/* "If the configuration file is not found or the VPN is not connected, [...] a red x icon." */
		s.check = s.stored && s.tunnel.state == TUNNEL_CONNECTED;
		s.softkey = s.tunnel.state == TUNNEL_DOWN ? "Connect" : "Disconnect";
		s.shield = s.tunnel.state == TUNNEL_CONNECTED ? SHIELD_BLUE : SHIELD_RED;
	}
	*ret = s;
	return 0;
}

const char *
status_shield_name(enum shield shield)
{
	return shields[shield];
}

const char *
status_connection(const struct status *s, char out[STATUS_CONNECTION_SIZE])
{
	bool detail = s->tunnel.state == TUNNEL_CONNECTING && s->tunnel.detail[0] != '\0';

	(void)snprintf(out, STATUS_CONNECTION_SIZE, "%s%s%s%s", connections[s->tunnel.state], detail ? " (" : "",
	    detail ? s->tunnel.detail : "", detail ? ")" : "");
	return out;
}

static void
print_page(const struct status *s)
{
	const struct store *store = &s->phone->store;
	char connection[STATUS_CONNECTION_SIZE];

	(void)printf("BootConfig: VPN\n");
	(void)printf("  configuration     [%s] %s%s%s%s\n", s->check ? "check" : "x",
	    s->stored ? "loaded, md5 " : "not found", s->stored ? store_md5(store) : "",
	    s->stored && store->local.on ? ", set on the phone's web page" : "",
	    s->stored && !s->check ? ", VPN not connected" : "");
	(void)printf("  VPN address       %s\n", s->tunnel.address[0] != '\0' ? s->tunnel.address : "none");
	(void)printf("  connection        %s\n", status_connection(s, connection));
	if (s->tunnel.state == TUNNEL_DOWN && store->tunnel_failure[0] != '\0')
		(void)printf("  last failure      %s\n", store->tunnel_failure);
	(void)printf("  soft key          %s\n", s->softkey);
}

void
status_print(const struct status *s)
{
	const struct store *store = &s->phone->store;

	(void)printf("%s  firmware %s  MAC %s\n", store->model, store->firmware, store->mac);
	(void)printf("status bar          shield: %s\n", shields[s->shield]);
	if (s->menu)
		print_page(s);
	else if (!s->phone->vpn)
		(void)printf("VPN                 not supported: %s\n", s->phone->why.text);
	else
		(void)printf("VPN                 disabled; configuration file %s\n",
		    s->stored ? "stored" : "not stored");
}

/* A string, or null for an empty one. */
static const char *
or_null(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

static json_t *
phone_json(const struct status *s)
{
	const struct store *store = &s->phone->store;

	return json_pack("{s:s,s:s,s:s,s:b,s:s?,s:b,s:b}", "mac", store->mac, "model", store->model, "firmware",
	    store->firmware, "vpn_supported", s->phone->vpn, "vpn_unsupported_reason",
	    s->phone->vpn ? NULL : s->phone->why.text, "vpn_enabled", store_enabled(store), "logging", store->logging);
}

static json_t *
page_json(const struct status *s)
{
	return json_pack("{s:b,s:s,s:s,s:s?}", "menu", s->menu, "shield", shields[s->shield], "icon",
	    s->check ? "check" : "x", "softkey", s->softkey);
}

static json_t *
tunnel_json(const struct status *s)
{
	const struct tunnel_status *t = &s->tunnel;

	return json_pack("{s:s,s:s?,s:s?,s:s?,s:I,s:I,s:s?}", "connection", connections[t->state], "detail",
	    or_null(t->detail), "vpn_address", or_null(t->address), "server", or_null(t->server), "bytes_in",
	    (json_int_t)t->bytes_in, "bytes_out", (json_int_t)t->bytes_out, "failure",
	    t->state == TUNNEL_DOWN ? or_null(s->phone->store.tunnel_failure) : NULL);
}

/* What is stored, and whether the server or the phone's own web page says so. */
static json_t *
file_json(const struct status *s)
{
	const struct store *store = &s->phone->store;
	const struct store_local *l = &store->local;

	return json_pack("{s:{s:b,s:s?,s:{s:b,s:b,s:s?}}}", "configuration", "stored", s->stored, "md5",
	    or_null(store_md5(store)), "local", "on", l->on, "vpn_enabled", l->enable, "md5", or_null(l->md5));
}

json_t *
status_json(const struct status *s)
{
	json_t *doc = phone_json(s);
	json_t *parts[] = { page_json(s), file_json(s), tunnel_json(s) };
	bool good = doc != NULL;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		good = good && parts[i] != NULL && json_object_update(doc, parts[i]) == 0;
		json_decref(parts[i]);
	}
	if (!good) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

static int
status_run(const struct invocation *in, struct err *e)
{
	struct status s;
	struct phone p;
	int rc;

	if (phone_open(in, false, &p, e) != 0)
		return -1;
	rc = status_collect(&p, &s, e);
	if (rc == 0 && in->json)
		rc = command_print_json(status_json(&s), e);
	else if (rc == 0)
		status_print(&s);
	phone_close(&p);
	return rc;
}

const struct command command_status = {
	.name = "status",
	.summary = "Show what the phone's screen shows",
	.details = "The VPN page of BootConfig is there only while the VPN is enabled, on a model that can do it.",
	.run = status_run,
};
