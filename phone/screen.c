/* SPDX-License-Identifier: ISC */
#include "phone/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 66 /* columns between the borders: an IPv6 address fits behind the name of its line */

#define RESET "\033[0m"
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define ON_BLUE "\033[1;97;44m"
#define ON_RED "\033[1;97;41m"
#define REVERSE "\033[7m"

struct pen {
	struct buf *out;
	struct screen_style style;
	unsigned int lines;
};

struct screen_style
screen_style(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	(void)setlocale(LC_CTYPE, "");
	return (struct screen_style){
		.colour = isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') && term != NULL && term[0] != '\0' &&
		          strcmp(term, "dumb") != 0,
		.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

static const char *
colour(const struct pen *p, const char *sequence)
{
	return p->style.colour ? sequence : "";
}

enum border {
	BORDER_TOP,
	BORDER_MIDDLE,
	BORDER_BOTTOM,
};

static void
rule(struct pen *p, enum border border)
{
	static const char *const ends[][2] = {
		[BORDER_TOP] = { "┌", "┐" },
		[BORDER_MIDDLE] = { "├", "┤" },
		[BORDER_BOTTOM] = { "└", "┘" },
	};
	bool unicode = p->style.unicode;

	buf_addf(p->out, "%s%s", colour(p, DIM), unicode ? ends[border][0] : "+");
	for (int i = 0; i < WIDTH; i++)
		buf_add_string(p->out, unicode ? "─" : "-");
	buf_addf(p->out, "%s%s\n", unicode ? ends[border][1] : "+", colour(p, RESET));
	p->lines++;
}

/* Characters of a text that is UTF-8: what it takes of a line, as none here is wide. */
static size_t
columns(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* One line: text on the left, in a colour, and a mark in another at the right end; both fit by the caller's care. */
static void
line(struct pen *p, const char *text_colour, const char *text, const char *mark_colour, const char *mark)
{
	size_t used = columns(text) + columns(mark);
	int gap = used < WIDTH - 2 ? (int)(WIDTH - 2 - used) : 0;
	const char *side = p->style.unicode ? "│" : "|";

	buf_addf(p->out, "%s%s%s %s%s%s%*s%s%s%s %s%s%s\n", colour(p, DIM), side, colour(p, RESET),
	    colour(p, text_colour), text, colour(p, RESET), gap, "", colour(p, mark_colour), mark, colour(p, RESET),
	    colour(p, DIM), side, colour(p, RESET));
	p->lines++;
}

__attribute__((format(printf, 3, 4))) static void
text(struct pen *p, const char *text_colour, const char *fmt, ...)
{
	char all[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(all, sizeof(all), fmt, ap);
	va_end(ap);
	/* A reason may be long: as many lines as it takes, broken at blanks. */
	for (const char *at = all;;) {
		char part[WIDTH - 1];
		size_t len = strlen(at), take = len;

		if (len > WIDTH - 2) {
			take = WIDTH - 2;
			while (take > WIDTH / 2 && at[take] != ' ')
				take--;
		}
		memcpy(part, at, take);
		part[take] = '\0';
		line(p, text_colour, part, "", "");
		at += take + (at[take] == ' ');
		if (*at == '\0')
			break;
	}
}

static void
status_bar(struct pen *p, const struct status *s)
{
	static const char *const marks[] = {
		[SHIELD_NONE] = "",
		[SHIELD_BLUE] = " VPN: blue shield ",
		[SHIELD_RED] = " VPN: red shield ",
	};
	const struct store *store = &s->phone->store;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s  %s", store->model, store->mac);
	line(p, BOLD, name, s->shield == SHIELD_BLUE ? ON_BLUE : ON_RED, marks[s->shield]);
}

/* One item of the page, with the mark or blanks before it. */
static void
item(struct pen *p, const char *mark, const char *mark_colour, const char *name, const char *value)
{
	const char *side = p->style.unicode ? "│" : "|";
	int gap = WIDTH - 25 - (int)columns(value);

	buf_addf(p->out, "%s%s%s %s%s%s %-20s %s%*s %s%s%s\n", colour(p, DIM), side, colour(p, RESET),
	    colour(p, mark_colour), mark, colour(p, RESET), name, value, gap > 0 ? gap : 0, "", colour(p, DIM), side,
	    colour(p, RESET));
	p->lines++;
}

static void
vpn_page(struct pen *p, const struct status *s)
{
	const struct store *store = &s->phone->store;
	char connection[STATUS_CONNECTION_SIZE], shown[34];
	const char *check = p->style.unicode ? "✔" : "v", *cross = p->style.unicode ? "✘" : "x";

	text(p, BOLD, "BootConfig Settings: VPN");
	text(p, "", " ");
	item(p, s->check ? check : cross, s->check ? GREEN : RED, "Configuration file",
	    s->stored ? (store->local.on ? "loaded, set on this phone" : "loaded") : "not found");
	item(p, " ", "", "VPN address", s->tunnel.address[0] != '\0' ? s->tunnel.address : "none");
	(void)snprintf(shown, sizeof(shown), "%s", status_connection(s, connection));
	item(p, " ", "", "Status", shown);
	if (s->tunnel.state == TUNNEL_DOWN && store->tunnel_failure[0] != '\0') {
		text(p, "", " ");
		text(p, RED, "%s", store->tunnel_failure);
	}
	text(p, "", " ");
	rule(p, BORDER_MIDDLE);
	(void)snprintf(shown, sizeof(shown), " %s ", s->softkey);
	line(p, REVERSE, shown, "", "");
}

void
screen_draw(const struct status *s, struct screen_style style, struct buf *out, unsigned int *ret_lines)
{
	struct pen p = { .out = out, .style = style };

	rule(&p, BORDER_TOP);
	status_bar(&p, s);
	rule(&p, BORDER_MIDDLE);
	if (s->menu) {
		vpn_page(&p, s);
	} else {
		text(&p, BOLD, "BootConfig Settings");
		text(&p, "", " ");
		if (s->phone->vpn)
			text(&p, "", "No VPN item: the VPN is disabled.");
		else
			text(&p, "", "No VPN item: %s.", s->phone->why.text);
	}
	rule(&p, BORDER_BOTTOM);
	if (ret_lines != NULL)
		*ret_lines = p.lines;
}
