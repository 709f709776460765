/* SPDX-License-Identifier: ISC */
#include "phone/boot.h"

#include "phone/boot_steps.h"

#include "common/process.h"

#include <stdio.h>

/*
 * The boot, from top to bottom; each state does one thing, says what it did and why, and names the next. Whatever
 * fails, the phone goes on with what it has stored. A state that fetches runs when its URL is fetched.
 */
static const struct {
	boot_step *run;
	bool fetches;
} states[] = {
	[BOOT_STATE_FIND_URL] = { boot_find_url, false },
	[BOOT_STATE_TAKE_XML] = { boot_take_xml, true },
	[BOOT_STATE_READ_SETTINGS] = { boot_read_settings, false },
	[BOOT_STATE_RESTART] = { boot_restart, false },
	[BOOT_STATE_GATE] = { boot_gate, false },
	[BOOT_STATE_TAKE_BUNDLE] = { boot_take_bundle, true },
	[BOOT_STATE_READ_BUNDLE] = { boot_read_bundle, false },
	[BOOT_STATE_CHECK_CERTIFICATE] = { boot_check_certificate, false },
	[BOOT_STATE_VPN] = { boot_vpn, false },
	[BOOT_STATE_LIMIT] = { boot_limit, false },
	[BOOT_STATE_CONNECT] = { boot_connect, false },
};

enum boot_wish
boot_go(struct boot *b)
{
	while (b->state != BOOT_STATE_END) {
		if (states[b->state].fetches && !b->fetching) {
			b->fetching = true;
			return BOOT_FETCH;
		}
		b->fetching = false;
		b->state = states[b->state].run(b);
	}
	return BOOT_END;
}

enum boot_state
boot_fail(struct boot *b, const char *step, enum verdict verdict, const char *section, const struct err *e,
    enum boot_state next)
{
	report_failure(b->report, step, verdict, section, e);
	return next;
}

void
boot_start(struct boot *b, struct phone *p, struct report *r, const struct boot_options *o)
{
	*b = (struct boot){
		.phone = p,
		.report = r,
		.options = *o,
		.state = o->stored_only ? BOOT_STATE_READ_BUNDLE : BOOT_STATE_FIND_URL,
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
		.url = b->state == BOOT_STATE_TAKE_XML ? buf_string(&b->url) : b->settings.bundle.url.text,
		.user_agent = b->user_agent,
		.auth = b->options.auth,
		.stoppable = b->options.stoppable,
	};
	return &b->request;
}

struct buf *
boot_body(struct boot *b)
{
	return b->state == BOOT_STATE_TAKE_XML ? &b->xml : &b->bundle;
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
		int rc = fetch_get(boot_request(b), boot_body(b), &e);

		if (b->options.stoppable && process_end_is_asked()) {
			err_set(&e, ERR_FAILED, "stopped by a signal");
			report_failure(b->report, "stop", VERDICT_FAILED, NULL, &e);
			return;
		}
		boot_fetched(b, rc, &e);
	}
}

void
boot_release(struct boot *b)
{
	ovpn_release(&b->ovpn);
	limits_release(&b->limits);
	settings_release(&b->settings);
	buf_release(&b->url);
	buf_release(&b->xml);
	buf_release(&b->bundle);
}
