/* SPDX-License-Identifier: ISC */
#include "phone/web_internal.h"

#include "common/log.h"
#include "common/text.h"
#include "phone/upload.h"

#include <time.h>

#define LOCK_SECONDS 3 /* for the phone's own work to end; whoever waits for the page waits as long */
#define LOCK_STEP_MS 50

/* A phone to change; what it does itself, as starting a tunnel, is waited for. */
static int
open_waiting(const struct web *w, struct phone *ret, struct err *e)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	int64_t deadline = management_now() + LOCK_SECONDS * 1000;
	struct err mine = ERR_INIT;

	while (phone_open(w->config.phone, true, ret, &mine) != 0) {
		if (mine.code != ERR_CONFLICT || management_now() >= deadline)
			return err_set(e, mine.code, "%s", mine.text);
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

static int
submit(struct store *s, const struct web_form *f, enum web_notice *ret, struct err *e)
{
	char md5[MD5_HEX_SIZE] = "";

	if (f->has_file && md5_hex(f->file.data, f->file.len, md5, e) != 0)
		return -1;
	*ret = f->has_file ? WEB_NOTICE_UPLOADED : WEB_NOTICE_SAVED;
	return store_local_set(s, f->enable, f->has_file ? &f->file : NULL, md5, e);
}

static int
change(const struct web *w, const struct web_form *f, enum web_action action, enum web_notice *ret, struct err *e)
{
	struct phone p;
	int rc;

	if (open_waiting(w, &p, e) != 0)
		return -1;
	if (action == WEB_ACTION_SUBMIT) {
		rc = submit(&p.store, f, ret, e);
	} else if (action == WEB_ACTION_DELETE) {
		*ret = p.store.local.md5[0] != '\0' ? WEB_NOTICE_DELETED : WEB_NOTICE_NO_FILE;
		rc = store_local_delete(&p.store, e);
	} else {
		*ret = WEB_NOTICE_REVERTED;
		rc = store_local_revert(&p.store, e);
	}
	phone_close(&p);
	return rc;
}

static enum MHD_Result
answer_failed(struct web_request *q, const struct err *e)
{
	bool busy = e->code == ERR_CONFLICT;

	log_error("%s: %s", q->client, e->text);
	return web_answer_page(q, busy ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_INTERNAL_SERVER_ERROR,
	    &(struct web_page){ .problem = busy ? "The phone is busy with something else. Try again in some seconds."
	                                        : "The phone cannot store it; its log says why." });
}

/* A file that cannot be used is refused before anything is touched. */
static enum MHD_Result
answer_bad_file(struct web_request *q, const struct err *e)
{
	bool large = q->form->file.broken;
	char shown[ERR_TEXT_MAX];

	log_warn("%s: an uploaded file was refused: %s", q->client, text_printable(e->text, shown, sizeof(shown)));
	return web_answer_page(q, large ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_UNPROCESSABLE_CONTENT,
	    &(struct web_page){
		.problem = "The file was refused, and what was there stays in use.", .file_problem = e->text });
}

enum MHD_Result
web_answer_form(struct web_request *q)
{
	const struct web *w = q->web;
	enum web_action action = web_form_action(q->form);
	enum web_notice notice = WEB_NOTICE_NONE;
	char token[GUARD_TOKEN_SIZE];
	struct err e = ERR_INIT;

	if (guard_token(w->key, q->phone.store.mac, token, &e) != 0)
		return answer_failed(q, &e);
	if (!guard_token_is(buf_string(&q->form->token), token))
		return web_answer_page(q, MHD_HTTP_FORBIDDEN,
		    &(struct web_page){
			.problem = "The form is not of this page, or older than the phone's last start. "
				   "Send it again from here." });
	if (q->form->problem != NULL)
		return web_answer_page(q, MHD_HTTP_BAD_REQUEST,
		    &(struct web_page){ .problem = "The form is not as this page makes it." });
	if (action == WEB_ACTION_SUBMIT && q->form->has_file &&
	    upload_check(&q->phone, &q->form->file, w->config.clock != 0 ? w->config.clock : time(NULL), &e) != 0)
		return answer_bad_file(q, &e);
	if (change(w, q->form, action, &notice, &e) != 0)
		return answer_failed(q, &e);
	log_info("%s: the page was used: %s", q->client, web_notice_name(notice));
	w->config.changed(w->config.arg);
	return web_answer_see_page(q, MHD_HTTP_SEE_OTHER, notice);
}
