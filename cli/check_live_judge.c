/* SPDX-License-Identifier: ISC */
#include "cli/check_live_internal.h"

#include "bundler/bundle.h"
#include "cli/phone_report.h"
#include "common/text.h"
#include "dseries/setting.h"

#include <string.h>

static const struct finding_place nowhere = { .file = NULL };

/* ---- the answer itself ---- */

/* True for a body to look at; what names it. */
static bool
judge_answer(struct live_phone *p, const char *what)
{
	const struct live_fetch *f = &p->fetch;
	struct fleet_job *job = &p->job;
	char element[FLEET_ELEMENT_SIZE], origin[LIVE_SHOWN_SIZE];
	struct finding_place place = fleet_place(&job->phone, element);
	const char *why;

	live_fetch_origin(f, origin);
	if (live_fetch_is_lost(f, &why))
		LIVE_FOUND(&job->shared, f->code == CURLE_PEER_FAILED_VERIFICATION ? LIVE_TLS : LIVE_UNREACHABLE,
		    &nowhere, "expected an answer of %s, found: %s", origin, why);
	else if (f->code != CURLE_OK)
		LIVE_FOUND(&job->found, LIVE_STATUS, &place, "%s: expected the %s, found: %s", f->shown, what, why);
	else if (f->status == 401)
		LIVE_FOUND(&job->found, LIVE_LOGIN, &place, "%s: expected HTTP 200 for the %s, found 401", f->shown,
		    what);
	else if (f->status != 200)
		LIVE_FOUND(&job->found, LIVE_STATUS, &place, "%s: expected HTTP 200 for the %s, found %ld", f->shown,
		    what, f->status);
	if (f->code != CURLE_OK || f->status != 200)
		return false;
	if (f->first_status == 200)
		LIVE_FOUND(&job->shared, LIVE_NO_LOGIN, &nowhere,
		    "expected HTTP 401 for the %s without a login, found 200 at %s", what, origin);
	return true;
}

/* ---- the XML ---- */

static const char *
value_shown(const char *value, char *out, size_t size)
{
	return value == NULL ? "none" : text_printable(value, out, size);
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
compare_value(struct live_phone *p, const struct finding_place *place, const char *setting, const char *expected,
    const char *found)
{
	char e[64], f[64];

	if (!same(expected, found))
		LIVE_FOUND(&p->job.found, LIVE_SETTING, place, "%s: expected value %s, found %s", setting,
		    value_shown(expected, e, sizeof(e)), value_shown(found, f, sizeof(f)));
}

static void
compare(struct live_phone *p, const struct finding_place *place)
{
	const struct xml_said *e = &p->expected, *s = &p->served;
	char shown_e[64], shown_s[64];

	compare_value(p, place, SETTING_ENABLE, e->enable, s->enable);
	compare_value(p, place, SETTING_LOGGING, e->logging, s->logging);
	compare_value(p, place, SETTING_BUNDLE, e->use, s->use);
	if (!same(e->md5, s->md5))
		LIVE_FOUND(&p->job.found, LIVE_STALE, place, "expected md5 %s, found %s",
		    value_shown(e->md5, shown_e, sizeof(shown_e)), value_shown(s->md5, shown_s, sizeof(shown_s)));
	else if (!same(e->url, s->url))
		LIVE_FOUND(&p->job.found, LIVE_SETTING, place,
		    SETTING_BUNDLE ": expected the url of the database, found %s",
		    s->url == NULL ? "none" : "another (or with another login)");
}

static int
judge_xml(const struct live_params *params, struct live_phone *p, struct err *e)
{
	const struct live_fetch *f = &p->fetch;
	const struct db_phone *phone = &p->job.phone;
	struct check_xml_params xml = { .model = model_find(phone->model), .vpn = params->common->vpn };
	char element[FLEET_ELEMENT_SIZE];
	struct finding_place place = fleet_place(phone, element);
	struct firmware firmware;
	struct err why = ERR_INIT;

	if (phone->firmware[0] != '\0' && firmware_parse(phone->firmware, &firmware, NULL) == 0)
		xml.firmware = &firmware;
	if (xml_read(f->body.data, f->body.len, f->shown, &p->served, &why) == 0)
		compare(p, &place);
	else if (why.code == ERR_FAILED)
		return err_set(e, why.code, "%s", why.text);
	/* What is as the database has it was judged there. */
	if (f->body.len == p->xml.len && memcmp(f->body.data, p->xml.data, p->xml.len) == 0)
		return 0;
	return check_xml(f->shown, f->body.data, f->body.len, &xml, &p->job.found, e);
}

/* ---- the bundle ---- */

static int
judge_bundle(struct live_phone *p, struct err *e)
{
	const struct live_fetch *f = &p->fetch;
	char element[FLEET_ELEMENT_SIZE], found[BUNDLE_MD5_SIZE], shown[64];
	struct finding_place place = fleet_place(&p->job.phone, element);

	if (bundle_md5(f->body.data, f->body.len, found, e) != 0)
		return -1;
	if (strcmp(found, p->served.md5) != 0)
		LIVE_FOUND(&p->job.found, LIVE_MD5, &place, "%s: expected md5 %s, found %s of %zu bytes", f->shown,
		    text_printable(p->served.md5, shown, sizeof(shown)), found, f->body.len);
	return 0;
}

static bool
has_bundle(const struct live_phone *p)
{
	const struct db_phone *phone = &p->job.phone;

	return phone_stand(phone, NULL) != STAND_TURNED_DOWN && p->served.url != NULL && p->served.url[0] != '\0' &&
	       p->served.md5 != NULL && p->served.md5[0] != '\0' && same(p->served.use, "1");
}

/* ---- another phone's ---- */

static void
judge_other(struct live_phone *p)
{
	const struct live_fetch *f = &p->fetch;
	char element[FLEET_ELEMENT_SIZE];
	struct finding_place place = fleet_place(&p->job.phone, element);

	/* That there is no login at all is told elsewhere. */
	if (f->code == CURLE_OK && f->status == 200 && f->first_status != 200)
		LIVE_FOUND(&p->job.found, LIVE_OTHER_PHONE, &place,
		    "%s: expected it to be refused to the login of %s, found HTTP 200", f->shown, p->job.phone.mac);
}

int
live_judge(const struct live_params *params, struct live_phone *p, enum live_step *ret_next, struct err *e)
{
	const enum live_step last = p->other[0] != '\0' ? LIVE_STEP_OTHER : LIVE_STEP_DONE;
	const char *why;

	*ret_next = LIVE_STEP_DONE;
	switch (p->step) {
	case LIVE_STEP_XML:
		if (!judge_answer(p, "XML"))
			return 0;
		if (judge_xml(params, p, e) != 0)
			return -1;
		*ret_next = has_bundle(p) ? LIVE_STEP_BUNDLE : last;
		return 0;
	case LIVE_STEP_BUNDLE:
		if (judge_answer(p, "bundle") && judge_bundle(p, e) != 0)
			return -1;
		if (!live_fetch_is_lost(&p->fetch, &why))
			*ret_next = last;
		return 0;
	case LIVE_STEP_OTHER:
		judge_other(p);
		return 0;
	case LIVE_STEP_DONE:
		break;
	}
	return 0;
}
