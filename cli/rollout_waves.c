/* SPDX-License-Identifier: ISC */
#include "cli/rollout_waves.h"

#include "common/table.h"
#include "common/text.h"
#include "rollout/guard.h"

#include <stdio.h>

json_t *
rollout_waves_json(const struct plan *p, const size_t *sizes, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:I,s:I,s:I,s:I}", "wave", (json_int_t)i + 1, "phones", (json_int_t)sizes[i],
			"offered_after", (json_int_t)guard_wave_offered(p, sizes, i), "over_after_at_most",
			(json_int_t)guard_wave_over(p, sizes, i)));
	return list;
}

int
rollout_waves_print(const struct plan *p, const size_t *sizes, size_t count, struct err *e)
{
	static const char *const headings[] = { "WAVE", "PHONES", "ALL OFFERED AFTER", "OVER AFTER AT MOST" };
	struct table *t = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	int rc;

	if (t == NULL)
		return err_set(e, ERR_FAILED, "table: no memory");
	for (size_t i = 0; i < count; i++) {
		char wave[24], phones[24], least[TEXT_DURATION_SIZE], most[TEXT_DURATION_SIZE];

		(void)snprintf(wave, sizeof(wave), "%zu", i + 1);
		(void)snprintf(phones, sizeof(phones), "%zu", sizes[i]);
		text_duration_text(guard_wave_offered(p, sizes, i), least);
		text_duration_text(guard_wave_over(p, sizes, i), most);
		table_row(t, (const char *[]){ wave, phones, least, most });
	}
	rc = table_print(t, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
	table_free(t);
	return rc;
}
