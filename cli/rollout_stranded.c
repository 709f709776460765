/* SPDX-License-Identifier: ISC */
#include "cli/rollout_stranded.h"

#include "cli/phone_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 8

int
stranded_report_init(struct stranded_report *r, struct err *e)
{
	*r = (struct stranded_report){ .groups = json_array() };
	return r->groups != NULL ? 0 : err_set(e, ERR_FAILED, "JSON: no memory");
}

void
stranded_report_release(struct stranded_report *r)
{
	json_decref(r->groups);
	r->groups = NULL;
}

static json_t *
group_find(const struct stranded_report *r, const char *detail)
{
	for (size_t i = json_array_size(r->groups); i-- > 0;) {
		json_t *group = json_array_get(r->groups, i);

		if (strcmp(json_string_value(json_object_get(group, "text")), detail) == 0)
			return group;
	}
	return NULL;
}

int
stranded_report_add(struct stranded_report *r, const char *mac, enum guard_reason reason, const char *detail,
    struct err *e)
{
	json_t *group = group_find(r, detail);

	if (group == NULL) {
		group = json_pack("{s:s,s:s,s:s,s:[]}", "reason", guard_reason_name(reason), "text", detail, "remedy",
		    guard_reason_remedy(reason), "phones");
		if (json_array_append_new(r->groups, group) != 0)
			return err_set(e, ERR_FAILED, "JSON: no memory");
	}
	if (json_array_append_new(json_object_get(group, "phones"), json_string(mac)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	r->phones++;
	return 0;
}

static void
group_print(const json_t *group, const char *verb)
{
	const json_t *phones = json_object_get(group, "phones");
	size_t count = json_array_size(phones);

	(void)printf("%s %zu phone%s: %s; %s\n ", verb, count, count == 1 ? "" : "s",
	    json_string_value(json_object_get(group, "text")), json_string_value(json_object_get(group, "remedy")));
	for (size_t i = 0; i < count && i < SHOWN; i++)
		(void)printf(" %s", json_string_value(json_array_get(phones, i)));
	if (count > SHOWN)
		(void)printf(" and %zu more; --json has them all", count - SHOWN);
	(void)puts("");
}

void
stranded_report_print(const struct stranded_report *r, const char *verb)
{
	for (size_t i = 0; i < json_array_size(r->groups); i++)
		group_print(json_array_get(r->groups, i), verb);
}

int
stranded_refuse(const struct stranded_report *r, const char *rollout, struct err *e)
{
	const json_t *first = json_array_get(r->groups, 0);

	return err_set(e, ERR_INTEGRITY,
	    "rollout %s: %zu of its phones would be stranded, the first of them %s: %.400s; leave them out, or accept it for "
	    "each with --force MAC,...",
	    rollout, r->phones, json_string_value(json_array_get(json_object_get(first, "phones"), 0)),
	    json_string_value(json_object_get(first, "text")));
}

json_t *
stranded_force_parse(const char *macs, struct err *e)
{
	char *text = strdup(macs != NULL ? macs : ""), *rest = macs != NULL ? text : NULL, mac[DB_MAC_SIZE];
	json_t *set = json_object();

	if (text == NULL || set == NULL) {
		err_set(e, ERR_FAILED, "force: no memory");
		json_decref(set);
		set = NULL;
	}
	while (set != NULL && rest != NULL) {
		if (phone_argument(strsep(&rest, ","), mac, e) == 0 && json_object_set_new(set, mac, json_true()) == 0)
			continue;
		json_decref(set);
		set = NULL;
	}
	free(text);
	return set;
}

int
stranded_force_check(json_t *force, struct err *e)
{
	void *left = json_object_iter(force);

	return left == NULL ? 0
	                    : err_set(e, ERR_INPUT,
				  "force: phone %s: expected one of the rollout's phones that wait, found another",
				  json_object_iter_key(left));
}
