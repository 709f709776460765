/* SPDX-License-Identifier: ISC */
#include "phone/commands.h"
#include "phone/fetch.h"
#include "phone/gate.h"
#include "phone/ovpn.h"
#include "phone/phone.h"
#include "phone/report.h"
#include "phone/settings.h"
#include "phone/status.h"
#include "phone/tunnel.h"

#include "common/log.h"
#include "common/text.h"
#include "dseries/setting.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_CONFIG_URL,
	OPT_CONFIG_URL_FILE,
	OPT_NO_CONNECT,
	OPT_AUTH,
	OPT_TIMEOUT,
};

static const struct option_def options[] = {
	[OPT_CONFIG_URL] = { "config-url", "URL", "base URL that <mac>.cfg is put behind; stored" },
	[OPT_CONFIG_URL_FILE] = { "config-url-file", "FILE",
	    "the same, read from a file (- for stdin): it may hold a password" },
	[OPT_NO_CONNECT] = { "no-connect", NULL, "do all but start the VPN" },
	[OPT_AUTH] = { "auth", "KIND", "login at the web server: none, basic, digest or any (any)" },
	[OPT_TIMEOUT] = { "timeout", "SECONDS", "for the VPN to be connected (60)" },
	OPTION_END,
};

struct boot {
	struct phone phone;
	struct report report;
	struct settings settings;
	enum fetch_auth auth;
	unsigned int seconds;
	bool no_connect, upgraded;
	char user_agent[64];

	struct buf url; /* of the XML */
	struct buf xml, bundle;
	bool installed; /* a bundle, in this boot */
	struct ovpn ovpn;
	bool usable; /* ovpn is the stored bundle, and the phone can run it */
};

/*
 * The boot, from top to bottom; each state does one thing, says what it did and why, and names the next. Whatever
 * fails, the phone goes on with what it has stored.
 */
enum state {
	STATE_FIND_URL,
	STATE_FETCH_XML,
	STATE_READ_SETTINGS,
	STATE_GATE,
	STATE_FETCH_BUNDLE,
	STATE_COMPARE,
	STATE_READ_BUNDLE,
	STATE_VPN,
	STATE_CONNECT,
	STATE_END,
};

typedef enum state state_run(struct boot *b);
static state_run find_url, fetch_xml, read_settings, gate, fetch_bundle, compare, read_bundle, vpn, connect_vpn;

static state_run *const states[] = {
	[STATE_FIND_URL] = find_url,
	[STATE_FETCH_XML] = fetch_xml,
	[STATE_READ_SETTINGS] = read_settings,
	[STATE_GATE] = gate,
	[STATE_FETCH_BUNDLE] = fetch_bundle,
	[STATE_COMPARE] = compare,
	[STATE_READ_BUNDLE] = read_bundle,
	[STATE_VPN] = vpn,
	[STATE_CONNECT] = connect_vpn,
};

static void
boot_through(struct boot *b)
{
	enum state state = STATE_FIND_URL;

	while (state != STATE_END)
		state = states[state](b);
}

static enum state
fail(struct boot *b, const char *step, const char *section, const struct err *e, enum state next)
{
	report_failure(&b->report, step, section, e);
	return next;
}

static enum state
find_url(struct boot *b)
{
	struct buf shown = BUF_INIT(1024);
	struct store *s = &b->phone.store;
	struct err e = ERR_INIT;

	if (s->config_url[0] == '\0') {
		err_set(&e, ERR_USAGE,
		    "expected --config-url URL or a stored one, found none; a factory-fresh phone would "
		    "ask DHCP (option 66) and mDNS");
		return fail(b, "find", NULL, &e, STATE_READ_BUNDLE);
	}
	if (fetch_config_url(s->config_url, s->mac, &b->url, &e) != 0)
		return fail(b, "find", NULL, &e, STATE_READ_BUNDLE);
	fetch_show_url(buf_string(&b->url), &shown);
	report_step(&b->report, "find", STEP_DONE, NULL, "%s %s %s%s asks for %s", s->model, s->firmware, s->mac,
	    b->upgraded ? ", upgraded," : "", buf_string(&shown));
	buf_release(&shown);
	return STATE_FETCH_XML;
}

static int
fetch(struct boot *b, const char *url, struct buf *out, struct err *e)
{
	const struct fetch_request request = { .url = url, .user_agent = b->user_agent, .auth = b->auth };

	return fetch_get(&request, out, e);
}

static enum state
fetch_xml(struct boot *b)
{
	struct err e = ERR_INIT;

	if (fetch(b, buf_string(&b->url), &b->xml, &e) != 0) {
		err_prefix(&e, "the configuration is not fetched, and what is stored stays in use");
		return fail(b, "xml", NULL, &e, STATE_READ_BUNDLE);
	}
	report_step(&b->report, "xml", STEP_DONE, NULL, "configuration fetched, %zu bytes", b->xml.len);
	return STATE_READ_SETTINGS;
}

/* A model that cannot do it ignores the settings; a firmware that cannot, with the VPN enabled, is a mistake. */
static enum state
settings_ignored(struct boot *b)
{
	const struct err *why = &b->phone.why;
	struct err e = ERR_INIT;

	if (!b->phone.model->openvpn || !b->settings.enable.on) {
		report_step(&b->report, "settings", STEP_NOTHING, "Compatibility", "VPN settings ignored: %s",
		    why->text);
		return STATE_VPN;
	}
	err_set(&e, ERR_FAILED, "the VPN is enabled, and nothing is done: %s", why->text);
	return fail(b, "settings", "Recommended Firmware", &e, STATE_VPN);
}

static enum state
read_settings(struct boot *b)
{
	struct store *s = &b->phone.store;
	struct err e = ERR_INIT;

	if (settings_read(b->xml.data, b->xml.len, &b->settings, &e) != 0) {
		err_prefix(&e, "the configuration is not used, and what is stored stays in use");
		return fail(b, "settings", NULL, &e, STATE_READ_BUNDLE);
	}
	if (!b->phone.vpn)
		return settings_ignored(b);
	if (settings_check(&b->settings, &e) != 0)
		report_failure(&b->report, "settings", "Configuration Elements", &e);
	if (b->settings.repeated != NULL)
		report_step(&b->report, "settings", STEP_WARNING, NULL,
		    "%s stands there more than once: the last one counts", b->settings.repeated);
	if (s->logging != b->settings.logging.on)
		report_step(&b->report, "settings", STEP_WARNING, "Debugging",
		    "%s changed: the phone restarts by itself", SETTING_LOGGING);
	s->enable = b->settings.enable.on;
	s->logging = b->settings.logging.on;
	if (store_save(s, &e) != 0)
		return fail(b, "settings", NULL, &e, STATE_READ_BUNDLE);
	report_step(&b->report, "settings", STEP_DONE, "Configuration Elements", "VPN %s%s, logging %s",
	    s->enable ? "enabled" : "disabled", b->settings.enable.state == SETTING_GOOD ? "" : " (the default)",
	    s->logging ? "on" : "off");
	return STATE_GATE;
}

static bool
file_is_stored(struct boot *b)
{
	struct buf stored = BUF_INIT(STORE_BUNDLE_MAX);
	struct err e = ERR_INIT;
	bool there = store_bundle_load(&b->phone.store, &stored, &e) == 0;

	if (!there && e.code != ERR_NOT_FOUND)
		report_step(&b->report, "gate", STEP_WARNING, NULL, "the stored file counts as missing: %s", e.text);
	buf_release(&stored);
	return there;
}

static enum state
gate(struct boot *b)
{
	const struct gate_stored stored = { .md5 = b->phone.store.md5, .file_present = file_is_stored(b) };
	const struct gate_verdict *v = gate_decide(&stored, &b->settings.bundle);
	struct err e = ERR_INIT;

	if (v->decision == GATE_NO_URL) {
		err_set(&e, ERR_INPUT, "%s", v->reason);
		return fail(b, "gate", v->section, &e, STATE_READ_BUNDLE);
	}
	report_step(&b->report, "gate", v->go ? STEP_DONE : STEP_NOTHING, v->section, "%s", v->reason);
	return v->go ? STATE_FETCH_BUNDLE : STATE_READ_BUNDLE;
}

static enum state
fetch_bundle(struct boot *b)
{
	struct err e = ERR_INIT;

	if (fetch(b, b->settings.bundle.url.text, &b->bundle, &e) != 0) {
		err_prefix(&e, "the OpenVPN configuration file is not fetched, and what is stored stays in use");
		return fail(b, "bundle", NULL, &e, STATE_READ_BUNDLE);
	}
	report_step(&b->report, "bundle", STEP_DONE, NULL, "OpenVPN configuration file fetched, %zu bytes",
	    b->bundle.len);
	return STATE_COMPARE;
}

static enum state
compare(struct boot *b)
{
	const char *asked = b->settings.bundle.md5.text;
	const struct gate_verdict *v;
	char found[MD5_HEX_SIZE], shown[SETTINGS_MD5_SIZE];
	struct err e = ERR_INIT;

	if (md5_hex(b->bundle.data, b->bundle.len, found, &e) != 0)
		return fail(b, "compare", NULL, &e, STATE_READ_BUNDLE);
	v = gate_compare(asked, found);
	if (!v->go) {
		err_set(&e, ERR_INTEGRITY, "%s: expected %s, found %s", v->reason,
		    text_printable(asked, shown, sizeof(shown)), found);
		return fail(b, "compare", v->section, &e, STATE_READ_BUNDLE);
	}
	if (store_bundle_install(&b->phone.store, &b->bundle, found, &e) != 0)
		return fail(b, "compare", v->section, &e, STATE_READ_BUNDLE);
	b->installed = true;
	report_step(&b->report, "compare", STEP_DONE, v->section, "%s (%s)", v->reason, found);
	return STATE_READ_BUNDLE;
}

/* The gate goes by the md5 alone; whether the phone's OpenVPN can run the file is another matter. */
static enum state
read_bundle(struct boot *b)
{
	struct err e = ERR_INIT;

	if (!b->phone.vpn || b->phone.store.md5[0] == '\0')
		return STATE_VPN;
	if (phone_read_bundle(&b->phone, &b->ovpn, &e) != 0)
		return fail(b, "read", "The OpenVPN configuration file", &e, STATE_VPN);
	b->usable = true;
	for (size_t i = 0; i < b->ovpn.note_count && i < OVPN_NOTES_MAX; i++)
		report_step(&b->report, "read", STEP_WARNING, NULL, "%s", b->ovpn.notes[i]);
	report_step(&b->report, "read", STEP_DONE, "The OpenVPN configuration file",
	    "the phone's OpenVPN takes the file, %u remote%s", b->ovpn.remotes, b->ovpn.remotes == 1 ? "" : "s");
	return STATE_VPN;
}

/* Bring down a tunnel that must not be there; 1 when it was up. */
static int
bring_down(struct boot *b, const char *section, const char *why)
{
	struct err e = ERR_INIT;
	bool was_up;

	if (tunnel_stop(b->phone.store.dir, &was_up, &e) != 0) {
		report_failure(&b->report, "vpn", section, &e);
		return -1;
	}
	if (was_up)
		report_step(&b->report, "vpn", STEP_DONE, section, "tunnel brought down: %s", why);
	return was_up;
}

static enum state
vpn(struct boot *b)
{
	const struct store *s = &b->phone.store;
	struct err e = ERR_INIT;

	if (!b->phone.vpn) {
		(void)bring_down(b, "Compatibility", "this phone has no VPN");
		return STATE_END;
	}
	if (!s->enable) {
		if (bring_down(b, "Disabling OpenVPN", "the VPN is disabled") == 0)
			report_step(&b->report, "vpn", STEP_NOTHING, "Disabling OpenVPN", "disabled: not connected");
		return STATE_END;
	}
	if (!b->usable) {
		(void)bring_down(b, NULL, "no configuration file that can be used");
		err_set(&e, ERR_FAILED,
		    "the VPN is enabled, and there is no configuration file that can be used: not connected");
		return fail(b, "vpn", "When the VPN is Enabled", &e, STATE_END);
	}
	if (strcmp(s->tunnel_md5, s->md5) != 0 || b->installed) {
		if (bring_down(b, NULL, "another configuration file is in place") < 0)
			return STATE_END;
	}
	if (!b->no_connect)
		return STATE_CONNECT;
	report_step(&b->report, "vpn", STEP_NOTHING, NULL, "not connected, because of --no-connect");
	return STATE_END;
}

static enum state
connect_vpn(struct boot *b)
{
	static const char section[] = "When the VPN is Enabled";
	const char *dir = b->phone.store.dir;
	struct err e = ERR_INIT;
	struct tunnel_status t;

	if (tunnel_look(dir, &t, &e) != 0)
		return fail(b, "vpn", section, &e, STATE_END);
	if (t.state == TUNNEL_CONNECTED) {
		report_step(&b->report, "vpn", STEP_NOTHING, section, "connected already, VPN address %s", t.address);
		return STATE_END;
	}
	if (tunnel_stop(dir, NULL, &e) != 0 || phone_connect(&b->phone, &b->ovpn, b->seconds, &t, &e) != 0)
		return fail(b, "vpn", section, &e, STATE_END);
	report_step(&b->report, "vpn", STEP_DONE, section, "connected to %s, VPN address %s", t.server, t.address);
	return STATE_END;
}

static int
boot_start(const struct invocation *in, struct boot *b, struct err *e)
{
	const char *auth = in->option[OPT_AUTH];
	unsigned long seconds = TUNNEL_SECONDS;

	b->auth = FETCH_AUTH_ANY;
	if (auth != NULL && fetch_auth_parse(auth, &b->auth, e) != 0)
		return -1;
	if (command_number(in->option[OPT_TIMEOUT], 1, 3600, "timeout", &seconds, e) != 0)
		return -1;
	b->seconds = (unsigned int)seconds;
	b->no_connect = in->option[OPT_NO_CONNECT] != NULL;
	return phone_open_boot(in, &b->phone, &b->upgraded, e);
}

static int
boot_report(const struct invocation *in, struct boot *b, struct err *e)
{
	struct status s;
	json_t *doc;

	if (in->json) {
		if (status_collect(&b->phone, &s, e) != 0)
			return -1;
		doc = b->report.no_memory ? NULL
		                          : json_pack("{s:O,s:s,s:s?,s:o}", "steps", b->report.steps, "result",
						report_result(&b->report), "error",
						b->report.first.code != ERR_NONE ? b->report.first.text : NULL,
						"status", status_json(&s));
		if (command_print_json(doc, e) != 0)
			return -1;
	}
	if (b->report.first.code == ERR_NONE)
		return 0;
	return err_set(e, b->report.first.code, "%s", b->report.first.text);
}

static int
boot_run(const struct invocation *in, struct err *e)
{
	struct boot b = {
		.url = BUF_INIT(SETTINGS_URL_SIZE + 32),
		.xml = BUF_INIT(SETTINGS_XML_MAX),
		.bundle = BUF_INIT(STORE_BUNDLE_MAX),
	};
	const char *url = in->option[OPT_CONFIG_URL];
	int rc = -1;

	if (boot_start(in, &b, e) != 0)
		return -1;
	/* Every user of the machine can read a command line. */
	if (url != NULL && strchr(url, '@') != NULL && !in->quiet)
		log_warn("--config-url with a password in it shows in the list of processes: use --config-url-file");
	report_start(&b.report, in);
	(void)snprintf(b.user_agent, sizeof(b.user_agent), "Digium %s %s", b.phone.store.model, b.phone.store.firmware);
	if (phone_take_url(&b.phone, url, in->option[OPT_CONFIG_URL_FILE], e) == 0) {
		boot_through(&b);
		rc = boot_report(in, &b, e);
	}
	report_release(&b.report);
	ovpn_release(&b.ovpn);
	settings_release(&b.settings);
	buf_release(&b.url);
	buf_release(&b.xml);
	buf_release(&b.bundle);
	phone_close(&b.phone);
	return rc;
}

const struct command command_boot = {
	.name = "boot",
	.summary = "Boot the phone: fetch its configuration, install what is new, connect when the VPN is enabled",
	.details =
	    "Each step is printed with its reason. The VPN goes on in the background; disconnect ends it. Exit status "
	    "1: something could not be reached, 3: the server has no file for this phone, 5: the md5 does not match "
	    "or the phone cannot run the OpenVPN configuration file.",
	.options = options,
	.run = boot_run,
};
