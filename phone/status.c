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

void
status_print(const struct status *s)
{
	const struct store *store = &s->phone->store;

	(void)printf("%s  firmware %s  MAC %s\n", store->model, store->firmware, store->mac);
	(void)printf("status bar          shield: %s\n", shields[s->shield]);
	if (!s->phone->vpn)
		(void)printf("VPN                 not supported: %s\n", s->phone->why.text);
	else if (!s->menu)
		(void)printf("VPN                 disabled; configuration file %s\n",
		    s->stored ? "stored" : "not stored");
	if (!s->menu)
		return;
	(void)printf("BootConfig: VPN\n");
	(void)printf("  configuration     [%s] %s%s%s\n", s->check ? "check" : "x",
	    s->stored ? "loaded, md5 " : "not found", s->stored ? store->md5 : "",
	    s->stored && !s->check ? ", VPN not connected" : "");
	(void)printf("  VPN address       %s\n", s->tunnel.address[0] != '\0' ? s->tunnel.address : "none");
	(void)printf("  connection        %s%s%s%s\n", connections[s->tunnel.state],
	    s->tunnel.state == TUNNEL_CONNECTING ? " (" : "",
	    s->tunnel.state == TUNNEL_CONNECTING ? s->tunnel.detail : "",
	    s->tunnel.state == TUNNEL_CONNECTING ? ")" : "");
	(void)printf("  soft key          %s\n", s->softkey);
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
	    s->phone->vpn ? NULL : s->phone->why.text, "vpn_enabled", store->enable, "logging", store->logging);
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
	return json_pack("{s:s,s:s?,s:s?,s:s?}", "connection", connections[s->tunnel.state], "detail",
	    or_null(s->tunnel.detail), "vpn_address", or_null(s->tunnel.address), "server", or_null(s->tunnel.server));
}

json_t *
status_json(const struct status *s)
{
	json_t *doc = phone_json(s), *page = page_json(s), *tunnel = tunnel_json(s);
	json_t *file = json_pack("{s:{s:b,s:s?}}", "configuration", "stored", s->stored, "md5",
	    or_null(s->phone->store.md5));

	if (page == NULL || tunnel == NULL || file == NULL || json_object_update(doc, page) != 0 ||
	    json_object_update(doc, file) != 0 || json_object_update(doc, tunnel) != 0) {
		json_decref(doc);
		doc = NULL;
	}
	json_decref(page);
	json_decref(file);
	json_decref(tunnel);
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
