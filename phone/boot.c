/* SPDX-License-Identifier: ISC */
#include "phone/boot.h"

#include "phone/gate.h"

#include "common/text.h"
#include "dseries/setting.h"

#include <stdio.h>
#include <string.h>

#define RESTARTS_MAX 3 /* a server that flips openvpn_logging at each fetch would keep a phone busy for ever */

/*
 * The boot, from top to bottom; each state does one thing, says what it did and why, and names the next. Whatever
 * fails, the phone goes on with what it has stored. A state that fetches runs when its URL is fetched.
 */
enum state {
	STATE_FIND_URL,
	STATE_TAKE_XML,
	STATE_READ_SETTINGS,
	STATE_RESTART,
	STATE_GATE,
	STATE_TAKE_BUNDLE,
	STATE_READ_BUNDLE,
	STATE_VPN,
	STATE_CONNECT,
	STATE_END,
};

typedef enum state state_run(struct boot *b);
static state_run find_url, take_xml, read_settings, restart, gate, take_bundle, read_bundle, vpn, connect_vpn;

static const struct {
	state_run *run;
	bool fetches;
} states[] = {
	[STATE_FIND_URL] = { find_url, false },
	[STATE_TAKE_XML] = { take_xml, true },
	[STATE_READ_SETTINGS] = { read_settings, false },
	[STATE_RESTART] = { restart, false },
	[STATE_GATE] = { gate, false },
	[STATE_TAKE_BUNDLE] = { take_bundle, true },
	[STATE_READ_BUNDLE] = { read_bundle, false },
	[STATE_VPN] = { vpn, false },
	[STATE_CONNECT] = { connect_vpn, false },
};

enum boot_wish
boot_go(struct boot *b)
{
	while (b->state != STATE_END) {
		if (states[b->state].fetches && !b->fetching) {
			b->fetching = true;
			return BOOT_FETCH;
		}
		b->fetching = false;
		b->state = states[b->state].run(b);
	}
	return BOOT_END;
}

static enum state
fail(struct boot *b, const char *step, enum verdict verdict, const char *section, const struct err *e, enum state next)
{
	report_failure(b->report, step, verdict, section, e);
	return next;
}

/* A fetch that failed: everybody has to know that nothing changes. */
static enum state
fetch_failed(struct boot *b, const char *step, enum verdict verdict, const char *what)
{
	err_prefix(&b->fetch_error, "%s is not fetched, and what is stored stays in use", what);
	return fail(b, step, b->fetch_error.code == ERR_DENIED ? VERDICT_LOGIN_REFUSED : verdict, NULL, &b->fetch_error,
	    STATE_READ_BUNDLE);
}

static enum state
find_url(struct boot *b)
{
	struct store *s = &b->phone->store;
	struct buf shown = BUF_INIT(1024);
	struct err e = ERR_INIT;

	if (s->config_url[0] == '\0') {
		err_set(&e, ERR_USAGE,
		    "expected --config-url URL or a stored one, found none; a factory-fresh phone would "
		    "ask DHCP (option 66) and mDNS");
		return fail(b, "find", VERDICT_XML_UNREACHABLE, NULL, &e, STATE_READ_BUNDLE);
	}
	buf_clear(&b->url);
	if (fetch_config_url(s->config_url, s->mac, &b->url, &e) != 0)
		return fail(b, "find", VERDICT_XML_UNREACHABLE, NULL, &e, STATE_READ_BUNDLE);
	if (b->report->form != REPORT_NONE)
		fetch_show_url(buf_string(&b->url), &shown);
	report_step(b->report, "find", STEP_DONE, NULL, "%s %s %s%s asks for %s", s->model, s->firmware, s->mac,
	    b->options.upgraded ? ", upgraded," : "", buf_string(&shown));
	buf_release(&shown);
	return STATE_TAKE_XML;
}

static enum state
take_xml(struct boot *b)
{
	if (b->fetched != 0)
		return fetch_failed(b, "xml", VERDICT_XML_UNREACHABLE, "the configuration");
	report_step(b->report, "xml", STEP_DONE, NULL, "configuration fetched, %zu bytes", b->xml.len);
	return STATE_READ_SETTINGS;
}

/* A model that cannot do it ignores the settings; a firmware that cannot, with the VPN enabled, is a mistake. */
static enum state
settings_ignored(struct boot *b)
{
	const struct err *why = &b->phone->why;
	struct err e = ERR_INIT;

	if (!b->phone->model->openvpn || !b->settings.enable.on) {
		report_finding(b->report, "settings", VERDICT_VPN_UNSUPPORTED, "Compatibility",
		    "VPN settings ignored: %s", why->text);
		return STATE_VPN;
	}
	err_set(&e, ERR_FAILED, "the VPN is enabled, and nothing is done: %s", why->text);
	return fail(b, "settings", VERDICT_VPN_UNSUPPORTED, "Recommended Firmware", &e, STATE_VPN);
}

/* What the phone keeps of the settings, whether its model has a VPN or not. */
static void
settings_keep(struct boot *b)
{
	struct store *s = &b->phone->store;

	if (b->settings.admin.state == SETTING_GOOD)
		memcpy(s->admin_password, b->settings.admin.text, sizeof(s->admin_password));
	s->enable = b->phone->vpn && b->settings.enable.on;
	s->logging = b->phone->vpn && b->settings.logging.on;
}

static enum state
read_settings(struct boot *b)
{
	struct store *s = &b->phone->store;
	const bool logging = s->logging;
	struct err e = ERR_INIT;

	if (settings_read(b->xml.data, b->xml.len, &b->settings, &e) != 0) {
		err_prefix(&e, "the configuration is not used, and what is stored stays in use");
		return fail(b, "settings", VERDICT_XML_BAD, NULL, &e, STATE_READ_BUNDLE);
	}
	settings_keep(b);
	if (store_save(s, &e) != 0)
		return fail(b, "settings", VERDICT_FAILED, NULL, &e, STATE_READ_BUNDLE);
	if (!b->phone->vpn)
		return settings_ignored(b);
	if (settings_check(&b->settings, &e) != 0)
		report_failure(b->report, "settings", VERDICT_XML_BAD, "Configuration Elements", &e);
	if (b->settings.repeated != NULL)
		report_step(b->report, "settings", STEP_WARNING, NULL,
		    "%s stands there more than once: the last one counts", b->settings.repeated);
	report_step(b->report, "settings", STEP_DONE, "Configuration Elements", "VPN %s%s, logging %s",
	    s->enable ? "enabled" : "disabled", b->settings.enable.state == SETTING_GOOD ? "" : " (the default)",
	    s->logging ? "on" : "off");
	return s->logging != logging ? STATE_RESTART : STATE_GATE;
}

/* Bring down a tunnel that must not be there; 1 when it was up. */
static int
bring_down(struct boot *b, const char *section, const char *why)
{
	struct err e = ERR_INIT;
	bool was_up = false;

	if (b->phone->store.dir != NULL && tunnel_stop(b->phone->store.dir, &was_up, &e) != 0) {
		report_failure(b->report, "vpn", VERDICT_FAILED, section, &e);
		return -1;
	}
	if (was_up)
		report_step(b->report, "vpn", STEP_DONE, section, "tunnel brought down: %s", why);
	return was_up;
}

/* "Setting this will cause the phone to restart": it comes up again with all to be done anew. */
static enum state
restart(struct boot *b)
{
	static const char section[] = "Debugging";

	if (++b->restarts > RESTARTS_MAX) {
		report_step(b->report, "restart", STEP_WARNING, section,
		    "%s changes at each fetch: a phone would restart for ever; not restarted again", SETTING_LOGGING);
		return STATE_GATE;
	}
	if (bring_down(b, section, "the phone restarts") < 0)
		return STATE_END;
	report_step(b->report, "restart", STEP_DONE, section, "%s changed to %d: the phone restarts", SETTING_LOGGING,
	    b->phone->store.logging);
	buf_clear(&b->xml);
	return STATE_FIND_URL;
}

static bool
file_is_stored(struct boot *b)
{
	const struct store *s = &b->phone->store;
	struct buf stored = BUF_INIT(STORE_BUNDLE_MAX);
	struct err e = ERR_INIT;
	bool there = store_bundle_load(s, s->md5, &stored, &e) == 0;

	if (!there && e.code != ERR_NOT_FOUND)
		report_step(b->report, "gate", STEP_WARNING, NULL, "the stored file counts as missing: %s", e.text);
	buf_release(&stored);
	return there;
}

static enum state
gate(struct boot *b)
{
	const struct gate_stored stored = { .md5 = b->phone->store.md5, .file_present = file_is_stored(b) };
	const struct gate_verdict *v = gate_decide(&stored, &b->settings.bundle);
	struct err e = ERR_INIT;

	if (v->decision == GATE_NO_URL) {
		err_set(&e, ERR_INPUT, "%s", v->reason);
		return fail(b, "gate", v->verdict, v->section, &e, STATE_READ_BUNDLE);
	}
	if (v->go) {
		report_step(b->report, "gate", STEP_DONE, v->section, "%s", v->reason);
		return STATE_TAKE_BUNDLE;
	}
	report_finding(b->report, "gate", v->verdict, v->section, "%s", v->reason);
	return STATE_READ_BUNDLE;
}

/* Downloaded: installed when its md5 is the one announced, else discarded. */
static enum state
take_bundle(struct boot *b)
{
	const char *asked = b->settings.bundle.md5.text;
	char found[MD5_HEX_SIZE], shown[SETTINGS_MD5_SIZE];
	const struct gate_verdict *v;
	struct err e = ERR_INIT;

	if (b->fetched != 0)
		return fetch_failed(b, "bundle", VERDICT_BUNDLE_UNREACHABLE, "the OpenVPN configuration file");
	report_step(b->report, "bundle", STEP_DONE, NULL, "OpenVPN configuration file fetched, %zu bytes",
	    b->bundle.len);
	if (md5_hex(b->bundle.data, b->bundle.len, found, &e) != 0)
		return fail(b, "compare", VERDICT_FAILED, NULL, &e, STATE_READ_BUNDLE);
	v = gate_compare(asked, found);
	if (!v->go) {
		err_set(&e, ERR_INTEGRITY, "%s: expected %s, found %s", v->reason,
		    text_printable(asked, shown, sizeof(shown)), found);
		return fail(b, "compare", v->verdict, v->section, &e, STATE_READ_BUNDLE);
	}
	if (store_bundle_install(&b->phone->store, &b->bundle, found, &e) != 0)
		return fail(b, "compare", VERDICT_FAILED, v->section, &e, STATE_READ_BUNDLE);
	b->installed = true;
	report_step(b->report, "compare", STEP_DONE, v->section, "%s (%s)", v->reason, found);
	return STATE_READ_BUNDLE;
}

/* The gate goes by the md5 alone; whether the phone's OpenVPN can run the file is another matter. */
static enum state
read_bundle(struct boot *b)
{
	static const char section[] = "The OpenVPN configuration file";
	const struct store *s = &b->phone->store;
	struct err e = ERR_INIT;

	if (!b->phone->vpn || store_md5(s)[0] == '\0')
		return STATE_VPN;
	if (s->local.on)
		report_step(b->report, "read", STEP_WARNING, "The OpenVPN web configuration page",
		    "the settings of the phone's own web page win: VPN %s, %s file", s->local.enable ? "on" : "off",
		    s->local.md5[0] != '\0' ? "an uploaded" : "the server's");
	if (phone_read_bundle(b->phone, &b->ovpn, &e) != 0)
		return fail(b, "read", VERDICT_BUNDLE_BAD, section, &e, STATE_VPN);
	b->usable = true;
	for (size_t i = 0; i < b->ovpn.note_count && i < OVPN_NOTES_MAX; i++)
		report_step(b->report, "read", STEP_WARNING, NULL, "%s", b->ovpn.notes[i]);
	report_step(b->report, "read", STEP_DONE, section, "the phone's OpenVPN takes the file, %u remote%s",
	    b->ovpn.remotes, b->ovpn.remotes == 1 ? "" : "s");
	return STATE_VPN;
}

static enum state
vpn(struct boot *b)
{
	const struct store *s = &b->phone->store;
	struct err e = ERR_INIT;

	if (!b->phone->vpn) {
		(void)bring_down(b, "Compatibility", "this phone has no VPN");
		return STATE_END;
	}
	if (!store_enabled(s)) {
		if (bring_down(b, "Disabling OpenVPN", "the VPN is disabled") >= 0)
			report_finding(b->report, "vpn", VERDICT_VPN_DISABLED, "Disabling OpenVPN",
			    "disabled: not connected");
		return STATE_END;
	}
	if (!b->usable) {
		(void)bring_down(b, NULL, "no configuration file that can be used");
		err_set(&e, ERR_FAILED,
		    "the VPN is enabled, and there is no configuration file that can be used: not connected");
		return fail(b, "vpn", VERDICT_MD5_MISSING, "When the VPN is Enabled", &e, STATE_END);
	}
	if (strcmp(s->tunnel_md5, store_md5(s)) != 0 || b->installed) {
		if (bring_down(b, NULL, "another configuration file is in place") < 0)
			return STATE_END;
	}
	if (!b->options.no_connect)
		return STATE_CONNECT;
	report_step(b->report, "vpn", STEP_NOTHING, NULL, "not connected, because of --no-connect");
	return STATE_END;
}

static enum state
connect_vpn(struct boot *b)
{
	static const char section[] = "When the VPN is Enabled";
	const char *dir = b->phone->store.dir;
	enum verdict verdict = VERDICT_FAILED;
	struct tunnel_status *t = &b->tunnel;
	struct err e = ERR_INIT;

	if (tunnel_look(dir, t, &e) != 0)
		return fail(b, "vpn", VERDICT_FAILED, section, &e, STATE_END);
	if (t->state == TUNNEL_CONNECTED) {
		report_step(b->report, "vpn", STEP_NOTHING, section, "connected already, VPN address %s", t->address);
		return STATE_END;
	}
	if (tunnel_stop(dir, NULL, &e) != 0 ||
	    phone_connect(b->phone, &b->ovpn, b->options.seconds, t, &verdict, &e) != 0)
		return fail(b, "vpn", verdict, section, &e, STATE_END);
	if (t->state == TUNNEL_CONNECTED)
		report_step(b->report, "vpn", STEP_DONE, section, "connected to %s, VPN address %s", t->server,
		    t->address);
	else
		report_step(b->report, "vpn", STEP_DONE, section, "openvpn is started");
	return STATE_END;
}

void
boot_start(struct boot *b, struct phone *p, struct report *r, const struct boot_options *o)
{
	*b = (struct boot){
		.phone = p,
		.report = r,
		.options = *o,
		.state = STATE_FIND_URL,
		.url = BUF_INIT(SETTINGS_URL_SIZE + 32),
		.xml = BUF_INIT(SETTINGS_XML_MAX),
		.bundle = BUF_INIT(STORE_BUNDLE_MAX),
		.fetch_error = ERR_INIT,
	};
	(void)snprintf(b->user_agent, sizeof(b->user_agent), "Digium %s %s", p->store.model, p->store.firmware);
}

const struct fetch_request *
boot_request(struct boot *b)
{
	b->request = (struct fetch_request){
		.url = b->state == STATE_TAKE_XML ? buf_string(&b->url) : b->settings.bundle.url.text,
		.user_agent = b->user_agent,
		.auth = b->options.auth,
	};
	return &b->request;
}

struct buf *
boot_body(struct boot *b)
{
	return b->state == STATE_TAKE_XML ? &b->xml : &b->bundle;
}

void
boot_fetched(struct boot *b, int rc, const struct err *e)
{
	b->fetched = rc;
	b->fetch_error = *e;
}

void
boot_through(struct boot *b)
{
	while (boot_go(b) == BOOT_FETCH) {
		struct err e = ERR_INIT;

		boot_fetched(b, fetch_get(boot_request(b), boot_body(b), &e), &e);
	}
}

void
boot_release(struct boot *b)
{
	ovpn_release(&b->ovpn);
	settings_release(&b->settings);
	buf_release(&b->url);
	buf_release(&b->xml);
	buf_release(&b->bundle);
}
