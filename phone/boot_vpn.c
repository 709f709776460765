/* SPDX-License-Identifier: ISC */
#include "phone/boot_steps.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

int
boot_bring_down(struct boot *b, const char *section, const char *why)
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

/* The gate goes by the md5 alone; whether the phone's OpenVPN can run the file is another matter. */
enum boot_state
boot_read_bundle(struct boot *b)
{
	static const char section[] = "The OpenVPN configuration file";
	const struct store *s = &b->phone->store;
	struct err e = ERR_INIT;

	if (!b->phone->vpn || store_md5(s)[0] == '\0')
		return BOOT_STATE_VPN;
	if (s->local.on)
		report_step(b->report, "read", STEP_WARNING, "The OpenVPN web configuration page",
		    "the settings of the phone's own web page win: VPN %s, %s file", s->local.enable ? "on" : "off",
		    s->local.md5[0] != '\0' ? "an uploaded" : "the server's");
	if (phone_read_bundle(b->phone, &b->ovpn, &e) != 0)
		return boot_fail(b, "read", VERDICT_BUNDLE_BAD, section, &e, BOOT_STATE_VPN);
	for (size_t i = 0; i < b->ovpn.note_count && i < OVPN_NOTES_MAX; i++)
		report_step(b->report, "read", STEP_WARNING, NULL, "%s", b->ovpn.notes[i]);
	report_step(b->report, "read", STEP_DONE, section, "the phone's OpenVPN takes the file, %u remote%s",
	    b->ovpn.remotes, b->ovpn.remotes == 1 ? "" : "s");
	return BOOT_STATE_CHECK_CERTIFICATE;
}

enum boot_state
boot_check_certificate(struct boot *b)
{
	static const char section[] = "Important Notes";
	struct certificate_info *c = &b->certificate;
	char until[TEXT_TIME_SIZE];
	struct err e = ERR_INIT;

	b->usable = b->options.no_certificate;
	if (b->options.no_certificate) {
		report_step(b->report, "cert", STEP_NOTHING, section, "certificate, key and CA are not checked");
		return BOOT_STATE_VPN;
	}
	if (phone_check_certificate(&b->ovpn, b->options.clock, b->options.cache, c, &e) != 0)
		return boot_fail(b, "cert", VERDICT_CERTIFICATE_BAD, section, &e, BOOT_STATE_VPN);
	b->usable = b->certified = true;
	for (size_t i = 0; i < c->note_count; i++)
		report_step(b->report, "cert", STEP_WARNING, NULL, "%s", c->notes[i]);
	text_time(c->not_after, until);
	report_step(b->report, "cert", STEP_DONE, section,
	    "certificate, key and CA belong together: %s, %s, serial %s, valid until %s", c->subject, c->key, c->serial,
	    until);
	return BOOT_STATE_VPN;
}

enum boot_state
boot_vpn(struct boot *b)
{
	const struct store *s = &b->phone->store;
	struct err e = ERR_INIT;

	if (!b->phone->vpn) {
		(void)boot_bring_down(b, "Compatibility", "this phone has no VPN");
		return BOOT_STATE_END;
	}
	if (!store_enabled(s)) {
		if (boot_bring_down(b, "Disabling OpenVPN", "the VPN is disabled") >= 0)
			report_finding(b->report, "vpn", VERDICT_VPN_DISABLED, "Disabling OpenVPN",
			    "disabled: not connected");
		return BOOT_STATE_END;
	}
	if (!b->usable) {
		(void)boot_bring_down(b, NULL, "no configuration file that can be used");
		err_set(&e, ERR_FAILED,
		    "the VPN is enabled, and there is no configuration file that can be used: not connected");
		/* For the reason found before, or because the phone was never given a file. */
		return boot_fail(b, "vpn", b->report->verdict != VERDICT_OK ? b->report->verdict : VERDICT_MD5_MISSING,
		    "When the VPN is Enabled", &e, BOOT_STATE_END);
	}
	if (strcmp(s->tunnel_md5, store_md5(s)) != 0 || (b->installed && store_md5(s) == s->md5)) {
		if (boot_bring_down(b, NULL, "another configuration file is in place") < 0)
			return BOOT_STATE_END;
	}
	if (!b->options.no_connect || !b->options.no_limits)
		return BOOT_STATE_LIMIT;
	return BOOT_STATE_END;
}

/* "A, B" of a list, or "none". */
static const char *
listed(const struct limits_list *l, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "%s", l->count > 0 ? l->name[0] : "none");

	for (size_t i = 1; i < l->count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, ", %s", l->name[i]);
	return out;
}

/* The real openvpn is a later one: it is held to what the phone can do, as far as this machine has that still. */
enum boot_state
boot_limit(struct boot *b)
{
	char control[256], missing[256];
	struct limits *l = &b->limits;
	struct err e = ERR_INIT;

	if (phone_limit(b->phone, &b->ovpn, &b->offer, l, &e) != 0)
		return boot_fail(b, "limit", e.code == ERR_INTEGRITY ? VERDICT_BUNDLE_BAD : VERDICT_FAILED, "Ciphers",
		    &e, BOOT_STATE_END);
	for (size_t i = 0; i < l->note_count; i++)
		report_step(b->report, "limit", STEP_WARNING, "Ciphers", "%s", l->notes[i]);
	report_step(b->report, "limit", STEP_DONE, "Ciphers",
	    "openvpn held to TLS 1.0, %s and %s; of the phone's suites this machine's OpenSSL lacks %s",
	    listed(&l->control, control, sizeof(control)), b->ovpn.cipher,
	    listed(&l->control_missing, missing, sizeof(missing)));
	if (!b->options.no_connect)
		return BOOT_STATE_CONNECT;
	report_step(b->report, "vpn", STEP_NOTHING, NULL, "not connected, because of --no-connect");
	return BOOT_STATE_END;
}

enum boot_state
boot_connect(struct boot *b)
{
	static const char section[] = "When the VPN is Enabled";
	const char *dir = b->phone->store.dir;
	struct tunnel_options tunnel = b->options.tunnel;
	enum verdict verdict = VERDICT_FAILED;
	struct tunnel_status *t = &b->tunnel;
	struct err e = ERR_INIT;

	if (tunnel_look(dir, t, &e) != 0)
		return boot_fail(b, "vpn", VERDICT_FAILED, section, &e, BOOT_STATE_END);
	if (t->state == TUNNEL_CONNECTED) {
		report_step(b->report, "vpn", STEP_NOTHING, section, "connected already, VPN address %s", t->address);
		return BOOT_STATE_END;
	}
	if (b->options.background)
		tunnel.seconds = 0;
	else if (tunnel.seconds == 0)
		tunnel.seconds = TUNNEL_SECONDS * b->ovpn.remotes;
	if (tunnel_stop(dir, NULL, &e) != 0 ||
	    phone_connect(b->phone, &b->limits.config, &tunnel, t, &verdict, &e) != 0)
		return boot_fail(b, "vpn", verdict, section, &e, BOOT_STATE_END);
	b->started = true;
	if (t->state == TUNNEL_CONNECTED)
		report_step(b->report, "vpn", STEP_DONE, section, "connected to %s, VPN address %s", t->server,
		    t->address);
	else
		report_step(b->report, "vpn", STEP_DONE, section, "openvpn is started");
	return BOOT_STATE_END;
}
