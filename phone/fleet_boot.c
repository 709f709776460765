/* SPDX-License-Identifier: ISC */
#include "phone/fleet_boot.h"

#include "common/text.h"
#include "phone/fleet_nonce.h"
#include "phone/fleet_boot_curl.h"
#include "phone/fleet_login.h"

#include <stdlib.h>
#include <string.h>

struct fleet_boot *
fleet_boot_new(const struct fleet_boot_plan *plan, struct fleet_boot_crowd *crowd, struct err *e)
{
	struct fleet_boot *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		err_set(e, ERR_FAILED, "fleet: no memory");
		return NULL;
	}
	h->plan = *plan;
	h->crowd = crowd;
	h->page = (struct buf)BUF_INIT(FLEET_BOOT_PAGE_MAX);
	return h;
}

static void
boot_again(struct fleet_boot *h)
{
	struct boot_options o = h->plan.boot;

	if (h->who->fault == FAULT_WRONG_CLOCK) {
		o.clock = FAULT_CLOCK;
		o.no_certificate = false;
	}
	report_start(&h->report, REPORT_NONE, true);
	boot_start(&h->boot, &h->phone, &h->report, &o);
	h->boots++;
}

/* The power is off: what the phone knows besides its flash memory is gone, and so are its connections. */
static void
power_off(struct fleet_boot *h)
{
	boot_release(&h->boot);
	report_release(&h->report);
	fleet_boot_hang_up(h);
}

/* A phone fresh from the factory asks DHCP for the URL: it is given the same one again. */
static int
take_url(struct fleet_boot *h, struct err *e)
{
	struct buf url = BUF_INIT(SETTINGS_URL_SIZE - 1), spoilt = BUF_INIT(SETTINGS_URL_SIZE - 1);
	const struct buf *used = &url;
	int rc = fleet_url(h->plan.list, h->who, h->plan.config_url, &url, e);

	if (rc == 0 && h->who->fault == FAULT_WRONG_PASSWORD) {
		used = &spoilt;
		if (fleet_login_spoil(buf_string(&url), &spoilt) != 0)
			h->blame = "there is no login that could be wrong";
	}
	if (rc == 0)
		rc = text_copy(h->phone.store.config_url, sizeof(h->phone.store.config_url), buf_string(used),
		    "config_url", e);
	buf_release(&url);
	buf_release(&spoilt);
	return rc;
}

static int
factory_reset(struct fleet_boot *h, struct err *e)
{
	power_off(h);
	boot_again(h);
	return store_reset(&h->phone.store, e) == 0 && take_url(h, e) == 0 ? 0 : -1;
}

static bool
is_bundle(struct fleet_boot *h)
{
	return boot_body(&h->boot) == &h->boot.bundle;
}

/* What is fetched next is for the boot; 0 when it is on its way. */
static int
fetch_for_boot(struct fleet_boot *h, struct err *e)
{
	unsigned int kind = 0;

	h->request = *boot_request(&h->boot);
	if (fleet_boot_fetch(h, boot_body(&h->boot), e) != 0)
		return -1;
	if (is_bundle(h)) {
		kind |= !fleet_login_is_in(h->request.url) || h->request.auth < FETCH_AUTH_DIGEST ? FLEET_BOOT_LAST : 0;
		kind |= h->who->fault == FAULT_CUT && h->boots == 1 ? FLEET_BOOT_CUT : 0;
		kind |= h->who->fault == FAULT_SLOW ? FLEET_BOOT_SLOW : 0;
	}
	return fleet_boot_set(h, kind, e);
}

/* The phone's URL once more, without a login, or with a header in its place. */
static int
fetch_for_trick(struct fleet_boot *h, enum fleet_boot_trick trick, struct err *e)
{
	h->trick = trick;
	h->request = *boot_request(&h->boot);
	h->request.auth = FETCH_AUTH_NONE;
	buf_clear(&h->page);
	if (fleet_boot_fetch(h, &h->page, e) != 0)
		return -1;
	if (trick == TRICK_FORGERY && curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl: a header cannot be set");
	return fleet_boot_set(h, 0, e);
}

/* The cut phone has come to where it was to come, and boots once more. */
static bool
cut_is_done(struct fleet_boot *h)
{
	if (h->report.verdict != VERDICT_BUNDLE_UNREACHABLE) {
		h->blame = "the connection was not cut in the middle of a bundle";
		return false;
	}
	if (h->phone.store.md5[0] != '\0') {
		h->blame = "half a bundle was installed";
		return false;
	}
	return true;
}

static enum fleet_boot_wish
end(struct fleet_boot *h)
{
	struct fleet_phone *p = h->who;

	if (p->fault == FAULT_CORRUPT && h->phone.store.md5[0] != '\0')
		h->blame = "a corrupted bundle was installed";
	if (p->fault == FAULT_STALE_NONCE && h->blame == NULL && h->headers == NULL)
		h->blame = "the phone did not get as far as a nonce";
	p->verdict = (uint8_t)h->report.verdict;
	p->expected = h->blame == NULL && fault_expects(p->fault, h->report.verdict);
	p->done = true;
	return FLEET_BOOT_END;
}

/* The boot, up to the next transfer. wants: it has asked for that already. */
static enum fleet_boot_wish
go(struct fleet_boot *h, bool wants)
{
	struct err e;

	for (;; wants = false) {
		e = (struct err)ERR_INIT;
		if (!wants && boot_go(&h->boot) == BOOT_END) {
			if (h->who->fault != FAULT_CUT || h->boots > 1 || !cut_is_done(h))
				return end(h);
			power_off(h);
			boot_again(h);
			continue;
		}
		if (h->who->fault == FAULT_FACTORY_RESET && h->boots == 1 && is_bundle(h)) {
			if (factory_reset(h, &e) == 0)
				continue;
		} else if (h->who->fault == FAULT_STALE_NONCE && h->headers == NULL && h->blame == NULL) {
			if (fetch_for_trick(h, TRICK_CHALLENGE, &e) == 0)
				return FLEET_BOOT_FETCH;
		} else if (fetch_for_boot(h, &e) == 0) {
			return FLEET_BOOT_FETCH;
		}
		fleet_boot_drop(h);
		h->trick = TRICK_NONE;
		boot_fetched(&h->boot, -1, &e);
	}
}

/* A phone that cannot even begin: this machine's fault. */
static enum fleet_boot_wish
fail(struct fleet_boot *h, const struct err *e)
{
	report_failure(&h->report, "start", VERDICT_FAILED, NULL, e);
	return end(h);
}

enum fleet_boot_wish
fleet_boot_start(struct fleet_boot *h, struct fleet_phone *who)
{
	char firmware[FIRMWARE_SIZE];
	struct err e = ERR_INIT;
	int rc;

	h->who = who;
	h->boots = 0;
	h->blame = NULL;
	h->trick = TRICK_NONE;
	firmware_format(&who->firmware, firmware);
	rc = phone_in_memory(who->mac, who->model->name, firmware, &h->phone, &e);
	if (rc != 0)
		store_memory(&h->phone.store);
	boot_again(h);
	if (rc != 0 || take_url(h, &e) != 0)
		return fail(h, &e);
	return go(h, false);
}

/* The challenge has come: answer one like it. */
static enum fleet_boot_wish
challenged(struct fleet_boot *h, int rc, const struct err *why)
{
	struct err e = ERR_INIT;

	if (rc == 0 || why->code != ERR_DENIED || h->headers == NULL)
		h->blame = "the server asked for no Digest login, so that no nonce can be stale";
	else if (fetch_for_trick(h, TRICK_FORGERY, &e) == 0)
		return FLEET_BOOT_FETCH;
	else
		h->blame = "the forged login could not be sent";
	fleet_boot_drop(h);
	h->trick = TRICK_NONE;
	return go(h, true);
}

static enum fleet_boot_wish
forged(struct fleet_boot *h, int rc)
{
	if (rc == 0)
		h->blame = "the server took a nonce that it had not issued";
	h->trick = TRICK_NONE;
	return go(h, true);
}

enum fleet_boot_wish
fleet_boot_fetched(struct fleet_boot *h, CURLcode code)
{
	enum fleet_boot_trick trick = h->trick;
	struct err e = ERR_INIT;
	struct buf *body = &h->boot.bundle;
	int rc;

	fleet_boot_count(h);
	fleet_boot_hurry(h);
	if (trick == TRICK_CHALLENGE)
		fleet_boot_forge(h);
	rc = fetch_end(h->fetch, code, &e);
	h->fetch = NULL;
	h->unresolved = code == CURLE_COULDNT_RESOLVE_HOST;
	if (code != CURLE_OK)
		fleet_boot_discard(h);
	if (trick == TRICK_CHALLENGE)
		return challenged(h, rc, &e);
	if (trick == TRICK_FORGERY)
		return forged(h, rc);
	if (rc == 0 && h->who->fault == FAULT_CORRUPT && is_bundle(h) && body->len > 0)
		body->data[body->len / 2] ^= 1;
	boot_fetched(&h->boot, rc, &e);
	return go(h, false);
}

const char *
fleet_boot_reason(const struct fleet_boot *h)
{
	return h->blame != NULL ? h->blame : h->report.reason;
}

bool
fleet_boot_provisioned(const struct fleet_boot *h)
{
	return h->report.verdict == VERDICT_OK && h->phone.store.md5[0] != '\0';
}

void
fleet_boot_end(struct fleet_boot *h)
{
	fleet_boot_hurry(h);
	fleet_boot_drop(h);
	power_off(h);
	phone_close(&h->phone);
	buf_release(&h->page);
	curl_slist_free_all(h->headers);
	h->headers = NULL;
	h->who = NULL;
}

void
fleet_boot_free(struct fleet_boot *h)
{
	if (h == NULL)
		return;
	if (h->who != NULL)
		fleet_boot_end(h);
	fleet_boot_discard(h);
	fleet_boot_free_connections(h);
	free(h);
}
