/* SPDX-License-Identifier: ISC */
#include "phone/handset.h"

#include "common/text.h"
#include "phone/fleet_nonce.h"
#include "phone/handset_curl.h"
#include "phone/login.h"

#include <stdlib.h>
#include <string.h>

struct handset *
handset_new(const struct handset_plan *plan, struct handset_crowd *crowd, struct err *e)
{
	struct handset *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		err_set(e, ERR_FAILED, "handset: no memory");
		return NULL;
	}
	h->plan = *plan;
	h->crowd = crowd;
	h->page = (struct buf)BUF_INIT(HANDSET_PAGE_MAX);
	return h;
}

static void
boot_again(struct handset *h)
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
power_off(struct handset *h)
{
	boot_release(&h->boot);
	report_release(&h->report);
	handset_hang_up(h);
}

/* A phone fresh from the factory asks DHCP for the URL: it is given the same one again. */
static int
take_url(struct handset *h, struct err *e)
{
	struct buf url = BUF_INIT(SETTINGS_URL_SIZE - 1), spoilt = BUF_INIT(SETTINGS_URL_SIZE - 1);
	const struct buf *used = &url;
	int rc = fleet_url(h->plan.list, h->who, h->plan.config_url, &url, e);

	if (rc == 0 && h->who->fault == FAULT_WRONG_PASSWORD) {
		used = &spoilt;
		if (login_spoil(buf_string(&url), &spoilt) != 0)
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
factory_reset(struct handset *h, struct err *e)
{
	power_off(h);
	boot_again(h);
	return store_reset(&h->phone.store, e) == 0 && take_url(h, e) == 0 ? 0 : -1;
}

static bool
is_bundle(struct handset *h)
{
	return boot_body(&h->boot) == &h->boot.bundle;
}

/* What is fetched next is for the boot; 0 when it is on its way. */
static int
fetch_for_boot(struct handset *h, struct err *e)
{
	unsigned int kind = 0;

	h->request = *boot_request(&h->boot);
	if (handset_fetch(h, boot_body(&h->boot), e) != 0)
		return -1;
	if (is_bundle(h)) {
		kind |= !login_is_in(h->request.url) || h->request.auth < FETCH_AUTH_DIGEST ? HANDSET_LAST : 0;
		kind |= h->who->fault == FAULT_CUT && h->boots == 1 ? HANDSET_CUT : 0;
		kind |= h->who->fault == FAULT_SLOW ? HANDSET_SLOW : 0;
	}
	return handset_set(h, kind, e);
}

/* The phone's URL once more, without a login, or with a header in its place. */
static int
fetch_for_trick(struct handset *h, enum handset_trick trick, struct err *e)
{
	h->trick = trick;
	h->request = *boot_request(&h->boot);
	h->request.auth = FETCH_AUTH_NONE;
	buf_clear(&h->page);
	if (handset_fetch(h, &h->page, e) != 0)
		return -1;
	if (trick == TRICK_FORGERY && curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl: a header cannot be set");
	return handset_set(h, 0, e);
}

/* The cut phone has come to where it was to come, and boots once more. */
static bool
cut_is_done(struct handset *h)
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

static enum handset_wish
end(struct handset *h)
{
	struct fleet_phone *p = h->who;

	if (p->fault == FAULT_CORRUPT && h->phone.store.md5[0] != '\0')
		h->blame = "a corrupted bundle was installed";
	if (p->fault == FAULT_STALE_NONCE && h->blame == NULL && h->headers == NULL)
		h->blame = "the phone did not get as far as a nonce";
	p->verdict = (uint8_t)h->report.verdict;
	p->expected = h->blame == NULL && fault_expects(p->fault, h->report.verdict);
	p->done = true;
	return HANDSET_END;
}

/* The boot, up to the next transfer. wants: it has asked for that already. */
static enum handset_wish
go(struct handset *h, bool wants)
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
				return HANDSET_FETCH;
		} else if (fetch_for_boot(h, &e) == 0) {
			return HANDSET_FETCH;
		}
		handset_drop(h);
		h->trick = TRICK_NONE;
		boot_fetched(&h->boot, -1, &e);
	}
}

/* A phone that cannot even begin: this machine's fault. */
static enum handset_wish
fail(struct handset *h, const struct err *e)
{
	report_failure(&h->report, "start", VERDICT_FAILED, NULL, e);
	return end(h);
}

enum handset_wish
handset_start(struct handset *h, struct fleet_phone *who)
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
static enum handset_wish
challenged(struct handset *h, int rc, const struct err *why)
{
	struct err e = ERR_INIT;

	if (rc == 0 || why->code != ERR_DENIED || h->headers == NULL)
		h->blame = "the server asked for no Digest login, so that no nonce can be stale";
	else if (fetch_for_trick(h, TRICK_FORGERY, &e) == 0)
		return HANDSET_FETCH;
	else
		h->blame = "the forged login could not be sent";
	handset_drop(h);
	h->trick = TRICK_NONE;
	return go(h, true);
}

static enum handset_wish
forged(struct handset *h, int rc)
{
	if (rc == 0)
		h->blame = "the server took a nonce that it had not issued";
	h->trick = TRICK_NONE;
	return go(h, true);
}

enum handset_wish
handset_fetched(struct handset *h, CURLcode code)
{
	enum handset_trick trick = h->trick;
	struct err e = ERR_INIT;
	struct buf *body = &h->boot.bundle;
	int rc;

	handset_count(h);
	handset_hurry(h);
	if (trick == TRICK_CHALLENGE)
		handset_forge(h);
	rc = fetch_end(h->fetch, code, &e);
	h->fetch = NULL;
	h->unresolved = code == CURLE_COULDNT_RESOLVE_HOST;
	if (code != CURLE_OK)
		handset_discard(h);
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
handset_reason(const struct handset *h)
{
	return h->blame != NULL ? h->blame : h->report.reason;
}

bool
handset_provisioned(const struct handset *h)
{
	return h->report.verdict == VERDICT_OK && h->phone.store.md5[0] != '\0';
}

void
handset_end(struct handset *h)
{
	handset_hurry(h);
	handset_drop(h);
	power_off(h);
	phone_close(&h->phone);
	buf_release(&h->page);
	curl_slist_free_all(h->headers);
	h->headers = NULL;
	h->who = NULL;
}

void
handset_free(struct handset *h)
{
	if (h == NULL)
		return;
	if (h->who != NULL)
		handset_end(h);
	handset_discard(h);
	handset_free_connections(h);
	free(h);
}
