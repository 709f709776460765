/* SPDX-License-Identifier: ISC */
#include "phone/web_page.h"

#include "phone/html.h"

#include <string.h>

static const struct {
	const char *name, *text;
} notices[WEB_NOTICE_COUNT] = {
	[WEB_NOTICE_NONE] = { "", "" },
	[WEB_NOTICE_SAVED] = { "saved", "Settings saved. They win over the server's until they are reverted." },
	[WEB_NOTICE_UPLOADED] = { "uploaded",
	    "File checked and stored, settings saved. They win over the server's until they are reverted." },
	[WEB_NOTICE_DELETED] = { "deleted", "Uploaded file deleted." },
	[WEB_NOTICE_NO_FILE] = { "no-file", "There was no uploaded file to delete." },
	[WEB_NOTICE_REVERTED] = { "reverted", "Reverted: the server's settings are in use." },
};

const char *
web_notice_name(enum web_notice n)
{
	return notices[n].name;
}

enum web_notice
web_notice_parse(const char *name)
{
	for (unsigned int i = WEB_NOTICE_NONE + 1; name != NULL && i < WEB_NOTICE_COUNT; i++) {
		if (strcmp(notices[i].name, name) == 0)
			return (enum web_notice)i;
	}
	return WEB_NOTICE_NONE;
}

static void
render_head(const struct store *s, struct buf *out)
{
	buf_add_string(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>VPN - ");
	html_text(out, s->model);
	buf_add_string(out,
	    "</title>\n<link rel=\"stylesheet\" href=\"/vpn.css\">\n</head>\n<body>\n<header><p><strong>");
	html_text(out, s->model);
	buf_add_string(out, "</strong> <span>MAC ");
	html_text(out, s->mac);
	buf_add_string(out, "</span> <span>Firmware ");
	html_text(out, s->firmware);
	buf_add_string(out, "</span></p></header>\n<main>\n<h1>VPN</h1>\n");
}

static void
render_said(const struct web_page *p, struct buf *out)
{
	if (p->problem != NULL) {
		buf_add_string(out, "<div class=\"said\" role=\"alert\"><strong>Nothing was changed.</strong> <p>");
		html_text(out, p->problem);
		buf_add_string(out, "</p></div>\n");
	} else if (p->notice != WEB_NOTICE_NONE) {
		buf_add_string(out, "<p class=\"said\" role=\"status\">");
		html_text(out, notices[p->notice].text);
		buf_add_string(out, "</p>\n");
	}
	if (p->changing)
		buf_add_string(out, "<p class=\"said now\">The VPN is connecting. "
				    "<a href=\"/vpn\">Look again</a></p>\n");
}

static void
render_shield(enum shield shield, struct buf *out)
{
	static const struct {
		const char *colour, *text;
	} shields[] = {
		[SHIELD_NONE] = { "none", "None: the VPN is disabled" },
		[SHIELD_BLUE] = { "blue", "Blue: the VPN is up" },
		[SHIELD_RED] = { "red", "Red: the VPN is not up" },
	};

	buf_addf(out,
	    "<dt>Shield</dt><dd><svg class=\"%s\" viewBox=\"0 0 16 18\" aria-hidden=\"true\">"
	    "<path d=\"M8 1 15 3.5V9c0 4-3 6.800-7 8C4 15.800 1 13 1 9V3.500Z\"/></svg>%s</dd>\n",
	    shields[shield].colour, shields[shield].text);
}

static void
render_load(const struct status *s, struct buf *out)
{
	const char *why = !s->stored ? "Not found"
	                  : s->check ? "Loaded"
	                  : s->menu  ? "Loaded, not connected"
	                             : "Loaded, VPN disabled";

	buf_addf(out,
	    "<dt>Load status</dt><dd><span class=\"mark %s\" aria-hidden=\"true\">%s</span>"
	    "%s</dd>\n",
	    s->check ? "good" : "bad", s->check ? "\xe2\x9c\x93" : "\xc3\x97", why);
}

static void
render_connection(const struct status *s, struct buf *out)
{
	char connection[STATUS_CONNECTION_SIZE];

	buf_add_string(out, "<dt>VPN address</dt><dd id=\"address\">");
	html_text(out, s->tunnel.address[0] != '\0' ? s->tunnel.address : "None");
	buf_add_string(out, "</dd>\n<dt>Connection</dt><dd id=\"connection\">");
	html_text(out, status_connection(s, connection));
	if (s->tunnel.state == TUNNEL_CONNECTED) {
		buf_add_string(out, " to ");
		html_text(out, s->tunnel.server);
	}
	buf_add_string(out, "</dd>\n");
}

static void
render_status(const struct status *s, struct buf *out)
{
	buf_add_string(out, "<section aria-labelledby=\"status\"><h2 id=\"status\">Status</h2>\n<dl>\n");
	render_connection(s, out);
	render_shield(s->shield, out);
	render_load(s, out);
	buf_add_string(out, "</dl>\n</section>\n");
}

/* A stored file: size 0 when it is not known. */
static void
render_file(const char *label, const char *id, const char *md5, size_t size, struct buf *out)
{
	buf_addf(out, "<dt>%s</dt><dd id=\"%s\">", label, id);
	if (md5[0] == '\0') {
		buf_add_string(out, "None</dd>\n");
		return;
	}
	if (size > 0)
		buf_addf(out, "%zu bytes, ", size);
	buf_add_string(out, "md5 <code>");
	html_text(out, md5);
	buf_add_string(out, "</code></dd>\n");
}

static void
render_in_use(const struct web_page *p, struct buf *out)
{
	const struct store *s = &p->status->phone->store;
	bool own_file = s->local.on && s->local.md5[0] != '\0';

	buf_add_string(out, "<section aria-labelledby=\"inuse\"><h2 id=\"inuse\">Configuration in use</h2>\n<dl>\n");
	buf_addf(out, "<dt>Settings</dt><dd id=\"settings\">%s</dd>\n<dt>VPN</dt><dd id=\"vpn\">%s</dd>\n",
	    s->local.on ? "Local, set on this page" : "Supplied by the server",
	    store_enabled(s) ? "Enabled" : "Disabled");
	buf_addf(out, "<dt>File in use</dt><dd id=\"file-used\">%s</dd>\n",
	    store_md5(s)[0] == '\0' ? "None"
	    : own_file              ? "The uploaded one"
				    : "The server's");
	render_file("Uploaded file", "uploaded", s->local.md5, p->local_size, out);
	render_file("Server's file", "supplied", s->md5, 0, out);
	buf_add_string(out, "</dl>\n</section>\n");
}

static void
form_open(const struct web_page *p, struct buf *out)
{
	buf_add_string(out, "<form method=\"post\" action=\"/vpn\" enctype=\"multipart/form-data\">\n"
			    "<input type=\"hidden\" name=\"token\" value=\"");
	html_text(out, p->token);
	buf_add_string(out, "\">\n");
}

static void
render_submit(const struct web_page *p, struct buf *out)
{
	form_open(p, out);
	buf_addf(out,
	    "<div><label class=\"switch\"><input type=\"checkbox\" name=\"enable\" value=\"1\"%s> "
	    "Enable the VPN</label></div>\n",
	    store_enabled(&p->status->phone->store) ? " checked" : "");
	buf_addf(out,
	    "<div class=\"field\"><label for=\"file\">OpenVPN configuration file</label>\n"
	    "<input type=\"file\" id=\"file\" name=\"file\" accept=\".ovpn,.conf,text/plain\" "
	    "aria-describedby=\"file-hint%s\"%s>\n",
	    p->file_problem != NULL ? " file-wrong" : "", p->file_problem != NULL ? " aria-invalid=\"true\"" : "");
	if (p->file_problem != NULL) {
		buf_add_string(out, "<p class=\"wrong\" id=\"file-wrong\">Refused: ");
		html_text(out, p->file_problem);
		buf_add_string(out, "</p>\n");
	}
	buf_addf(out,
	    "<p class=\"hint\" id=\"file-hint\">One file with &lt;ca&gt;, &lt;cert&gt; and &lt;key&gt; in it, at most "
	    "%d MiB. Leave it empty to keep the file that is there.</p></div>\n"
	    "<button name=\"action\" value=\"submit\">Submit</button>\n</form>\n",
	    STORE_BUNDLE_MAX >> 20);
}

/* A form of one button, which is disabled while it would do nothing; hint says what it does, or why it does not. */
static void
render_button(const struct web_page *p, const char *kind, const char *action, const char *label, bool on,
    const char *hint, struct buf *out)
{
	form_open(p, out);
	buf_addf(out,
	    "<button class=\"%s\" name=\"action\" value=\"%s\"%s>%s</button>\n<p class=\"hint\">%s</p>\n</form>\n",
	    kind, action, on ? "" : " disabled", label, hint);
}

static void
render_others(const struct web_page *p, struct buf *out)
{
	const struct store_local *l = &p->status->phone->store.local;
	bool has_file = l->md5[0] != '\0';

	buf_add_string(out, "<div class=\"others\">\n");
	render_button(p, "away", "delete", "Delete file", has_file,
	    has_file ? "Deletes the uploaded file; the server's file is used again." : "No file was uploaded.", out);
	render_button(p, "quiet", "revert", "Revert to server settings", l->on,
	    l->on ? "Forgets all that was set on this page, the uploaded file too."
		  : "The server's settings are in use.",
	    out);
	buf_add_string(out, "</div>\n");
}

void
web_page_render(const struct web_page *p, struct buf *out)
{
	render_head(&p->status->phone->store, out);
	render_said(p, out);
	buf_add_string(out, "<div class=\"two\">\n");
	render_status(p->status, out);
	render_in_use(p, out);
	buf_add_string(out,
	    "</div>\n<section aria-labelledby=\"local\"><h2 id=\"local\">Local VPN configuration</h2>\n");
	render_submit(p, out);
	render_others(p, out);
	buf_add_string(out, "</section>\n</main>\n<footer><a href=\"/cgi-bin/ptsr\">Debug archive</a>, "
			    "without private keys and passwords</footer>\n</body>\n</html>\n");
}
