/* SPDX-License-Identifier: ISC */
#include "phone/boot_steps.h"
#include "phone/gate.h"

#include "common/text.h"
#include "dseries/setting.h"

#include <string.h>

#define RESTARTS_MAX 3 /* a server that flips openvpn_logging at each fetch would keep a phone busy for ever */

/* A fetch that failed: everybody has to know that nothing changes. */
static enum boot_state
fetch_failed(struct boot *b, const char *step, enum verdict verdict, const char *what)
{
	err_prefix(&b->fetch_error, "%s is not fetched, and what is stored stays in use", what);
	return boot_fail(b, step, b->fetch_error.code == ERR_DENIED ? VERDICT_LOGIN_REFUSED : verdict, NULL,
	    &b->fetch_error, BOOT_STATE_READ_BUNDLE);
}

enum boot_state
boot_find_url(struct boot *b)
{
	struct store *s = &b->phone->store;
	struct buf shown = BUF_INIT(1024);
	struct err e = ERR_INIT;

	if (s->config_url[0] == '\0') {
		err_set(&e, ERR_USAGE,
		    "expected --config-url URL or a stored one, found none; a factory-fresh phone would "
		    "ask DHCP (option 66) and mDNS");
		return boot_fail(b, "find", VERDICT_XML_UNREACHABLE, NULL, &e, BOOT_STATE_READ_BUNDLE);
	}
	buf_clear(&b->url);
	if (fetch_config_url(s->config_url, s->mac, &b->url, &e) != 0)
		return boot_fail(b, "find", VERDICT_XML_UNREACHABLE, NULL, &e, BOOT_STATE_READ_BUNDLE);
	if (b->report->form != REPORT_NONE)
		fetch_show_url(buf_string(&b->url), &shown);
	report_step(b->report, "find", STEP_DONE, NULL, "%s %s %s%s asks for %s", s->model, s->firmware, s->mac,
	    b->options.upgraded ? ", upgraded," : "", buf_string(&shown));
	buf_release(&shown);
	return BOOT_STATE_TAKE_XML;
}

enum boot_state
boot_take_xml(struct boot *b)
{
	if (b->fetched != 0)
		return fetch_failed(b, "xml", VERDICT_XML_UNREACHABLE, "the configuration");
	report_step(b->report, "xml", STEP_DONE, NULL, "configuration fetched, %zu bytes", b->xml.len);
	return BOOT_STATE_READ_SETTINGS;
}

/* A model that cannot do it ignores the settings; a firmware that cannot, with the VPN enabled, is a mistake. */
static enum boot_state
settings_ignored(struct boot *b)
{
	const struct err *why = &b->phone->why;
	struct err e = ERR_INIT;

	if (!b->phone->model->openvpn || !b->settings.enable.on) {
		report_finding(b->report, "settings", VERDICT_VPN_UNSUPPORTED, "Compatibility",
		    "VPN settings ignored: %s", why->text);
		return BOOT_STATE_VPN;
	}
	err_set(&e, ERR_FAILED, "the VPN is enabled, and nothing is done: %s", why->text);
	return boot_fail(b, "settings", VERDICT_VPN_UNSUPPORTED, "Recommended Firmware", &e, BOOT_STATE_VPN);
}

/*
 * "If config_server_url is populated, the phone uses it", and keeps it across boots: this is how it comes by a login of
 * its own when the first fetch had none.
 */
static void
config_url_keep(struct boot *b)
{
	struct buf full = BUF_INIT(SETTINGS_URL_SIZE + 32), shown = BUF_INIT(1024);
	const char *url = b->settings.config.text;
	struct store *s = &b->phone->store;
	struct err e = ERR_INIT;

	if (b->settings.config.state != SETTING_GOOD || strcmp(url, s->config_url) == 0)
		return;
	if (fetch_config_url(url, s->mac, &full, &e) != 0 ||
	    text_copy(s->config_url, sizeof(s->config_url), url, SETTING_CONFIG_URL, &e) != 0) {
		report_step(b->report, "settings", STEP_WARNING, NULL, "%s is not taken: %s", SETTING_CONFIG_URL,
		    e.text);
	} else {
		if (b->report->form != REPORT_NONE)
			fetch_show_url(url, &shown);
		report_step(b->report, "settings", STEP_DONE, NULL, "%s: from now on the configuration comes from %s%s",
		    SETTING_CONFIG_URL, buf_string(&shown), strchr(url, '@') != NULL ? ", with a login" : "");
	}
	buf_release(&full);
	buf_release(&shown);
}

/* What the phone keeps of the settings, whether its model has a VPN or not. */
static void
settings_keep(struct boot *b)
{
	struct store *s = &b->phone->store;

	if (b->settings.admin.state == SETTING_GOOD)
		memcpy(s->admin_password, b->settings.admin.text, sizeof(s->admin_password));
	config_url_keep(b);
	s->enable = b->phone->vpn && b->settings.enable.on;
	s->logging = b->phone->vpn && b->settings.logging.on;
}

enum boot_state
boot_read_settings(struct boot *b)
{
	struct store *s = &b->phone->store;
	const bool logging = s->logging;
	struct err e = ERR_INIT;

	if (settings_read(b->xml.data, b->xml.len, &b->settings, &e) != 0) {
		err_prefix(&e, "the configuration is not used, and what is stored stays in use");
		return boot_fail(b, "settings", VERDICT_XML_BAD, NULL, &e, BOOT_STATE_READ_BUNDLE);
	}
	settings_keep(b);
	if (store_save(s, &e) != 0)
		return boot_fail(b, "settings", VERDICT_FAILED, NULL, &e, BOOT_STATE_READ_BUNDLE);
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
	return s->logging != logging ? BOOT_STATE_RESTART : BOOT_STATE_GATE;
}

/* "Setting this will cause the phone to restart": it comes up again with all to be done anew. */
enum boot_state
boot_restart(struct boot *b)
{
	static const char section[] = "Debugging";

	if (++b->restarts > RESTARTS_MAX) {
		report_step(b->report, "restart", STEP_WARNING, section,
		    "%s changes at each fetch: a phone would restart for ever; not restarted again", SETTING_LOGGING);
		return BOOT_STATE_GATE;
	}
	if (boot_bring_down(b, section, "the phone restarts") < 0)
		return BOOT_STATE_END;
	report_step(b->report, "restart", STEP_DONE, section, "%s changed to %d: the phone restarts", SETTING_LOGGING,
	    b->phone->store.logging);
	buf_clear(&b->xml);
	return BOOT_STATE_FIND_URL;
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

enum boot_state
boot_gate(struct boot *b)
{
	const struct gate_stored stored = { .md5 = b->phone->store.md5, .file_present = file_is_stored(b) };
	const struct gate_verdict *v = gate_decide(&stored, &b->settings.bundle);
	struct err e = ERR_INIT;

	if (v->decision == GATE_NO_URL) {
		err_set(&e, ERR_INPUT, "%s", v->reason);
		return boot_fail(b, "gate", v->verdict, v->section, &e, BOOT_STATE_READ_BUNDLE);
	}
	if (v->go) {
		report_step(b->report, "gate", STEP_DONE, v->section, "%s", v->reason);
		return BOOT_STATE_TAKE_BUNDLE;
	}
	report_finding(b->report, "gate", v->verdict, v->section, "%s", v->reason);
	return BOOT_STATE_READ_BUNDLE;
}

/* Downloaded: installed when its md5 is the one announced, else discarded. */
enum boot_state
boot_take_bundle(struct boot *b)
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
		return boot_fail(b, "compare", VERDICT_FAILED, NULL, &e, BOOT_STATE_READ_BUNDLE);
	v = gate_compare(asked, found);
	if (!v->go) {
		err_set(&e, ERR_INTEGRITY, "%s: expected %s, found %s", v->reason,
		    text_printable(asked, shown, sizeof(shown)), found);
		return boot_fail(b, "compare", v->verdict, v->section, &e, BOOT_STATE_READ_BUNDLE);
	}
	if (store_bundle_install(&b->phone->store, &b->bundle, found, &e) != 0)
		return boot_fail(b, "compare", VERDICT_FAILED, v->section, &e, BOOT_STATE_READ_BUNDLE);
	b->installed = true;
	report_step(b->report, "compare", STEP_DONE, v->section, "%s (%s)", v->reason, found);
	return BOOT_STATE_READ_BUNDLE;
}
