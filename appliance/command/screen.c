#include "screen.h"
#include "report.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_COLUMN 10 /* after "verified" or "claimed" */
#define TEXT_COLUMN 28
#define COLUMNS 80
#define SUMMARY_MAX 3900 /* bytes of one fact */
#define FORMATTED_MAX 1024

struct row {
	const char *title; /* begins a section; then `kind` and `source` count too */
	const char *kind;
	const char *source;
	enum cs_standing standing;
	bool quoted;
	char *label;
	char *text; /* as given; shown when it is rendered */
};

struct cs_screen {
	struct row *rows;
	size_t count;
	bool failed;
};

enum cs_err cs_screen_new(struct cs_screen **ret_screen)
{
	*ret_screen = calloc(1, sizeof **ret_screen);
	return *ret_screen != NULL ? CS_OK : CS_E_NOMEM;
}

void cs_screen_free(struct cs_screen *screen)
{
	if (screen == NULL)
		return;
	for (size_t i = 0; i < screen->count; i++) {
		free(screen->rows[i].label);
		free(screen->rows[i].text);
	}
	free(screen->rows);
	free(screen);
}

void cs_screen_cleanup(struct cs_screen **screen)
{
	cs_screen_free(*screen);
}

static struct row *add(struct cs_screen *screen)
{
	struct row *rows = reallocarray(screen->rows, screen->count + 1, sizeof *rows);

	if (rows == NULL) {
		screen->failed = true;
		return NULL;
	}
	screen->rows = rows;
	rows[screen->count] = (struct row){0};
	return &rows[screen->count++];
}

void cs_screen_section(
	struct cs_screen *screen, const char *title, const char *kind, const char *source)
{
	struct row *row = add(screen);

	if (row == NULL)
		return;
	row->title = title;
	row->kind = kind;
	row->source = source;
}

static void add_text(struct cs_screen *screen, enum cs_standing standing, const char *label,
	const char *text, bool quoted)
{
	struct row *row = add(screen);

	if (row == NULL)
		return;
	row->standing = standing;
	row->quoted = quoted;
	row->label = strdup(label);
	row->text = strdup(text != NULL ? text : "-");
	if (row->label == NULL || row->text == NULL)
		screen->failed = true;
}

void cs_screen_row(
	struct cs_screen *screen, enum cs_standing standing, const char *label, const char *text)
{
	add_text(screen, standing, label, text, false);
}

void cs_screen_quoted(
	struct cs_screen *screen, enum cs_standing standing, const char *label, const char *text)
{
	add_text(screen, standing, label, text, true);
}

void cs_screen_rowf(struct cs_screen *screen, enum cs_standing standing, const char *label,
	const char *fmt, ...)
{
	char text[FORMATTED_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	cs_screen_row(screen, standing, label, text);
}

/* What cs_text_show gives holds a backslash only as \\ or \u{…}, so \" cannot be anything else. */
static enum cs_err quote(const char *text, struct cs_bytes *out)
{
	CS_CLEANUP_BYTES struct cs_bytes shown = {0};
	enum cs_err err = cs_text_show(text, strlen(text), 0, 0, &shown);

	if (err != CS_OK)
		return err;
	cs_bytes_add(out, "\"", 1);
	for (size_t i = 0; i < shown.len; i++) {
		if (shown.data[i] == '"')
			cs_bytes_add(out, "\\", 1);
		cs_bytes_add(out, &shown.data[i], 1);
	}
	cs_bytes_add(out, "\"", 1);
	return cs_bytes_check(out);
}

/*
 * Bytes of the unit at `at` that no break may split: an escape or a code point. Its columns,
 * never too few, in *ret_width.
 */
static size_t unit(const uint8_t *text, size_t len, size_t at, size_t *ret_width)
{
	size_t step = 1;

	*ret_width = 1;
	if (text[at] == '\\' && at + 1 < len) {
		step = 2;
		if (text[at + 1] == 'u')
			while (at + step < len && text[at + step - 1] != '}')
				step++;
		*ret_width = step;
		return step;
	}
	if (text[at] >= 0xe1)
		*ret_width = 2;
	while (at + step < len && (text[at + step] & 0xc0) == 0x80)
		step++;
	return step;
}

static void put_quoted(struct cs_bytes *out, const struct cs_bytes *text)
{
	size_t column = TEXT_COLUMN;

	for (size_t at = 0; at < text->len;) {
		size_t width;
		size_t step = unit(text->data, text->len, at, &width);
		if (column + width > COLUMNS - 1 && at + step < text->len) {
			cs_bytes_addf(out, "\\\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		}
		cs_bytes_add(out, text->data + at, step);
		column += width;
		at += step;
	}
	cs_bytes_add(out, "\n", 1);
}

static const char *standing_word(enum cs_standing standing)
{
	return standing == CS_VERIFIED ? "verified" : "claimed";
}

static enum cs_err render_row(const struct row *row, struct cs_bytes *out)
{
	CS_CLEANUP_BYTES struct cs_bytes label = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err;

	cs_bytes_addf(&label, "%-*s%s", LABEL_COLUMN, standing_word(row->standing), row->label);
	if (cs_bytes_check(&label) != CS_OK)
		return CS_E_NOMEM;
	if (!row->quoted) {
		cs_report_field(out, (const char *)label.data, TEXT_COLUMN, row->text);
		return cs_bytes_check(out);
	}
	err = quote(row->text, &text);
	if (err != CS_OK)
		return err;
	cs_bytes_addf(out, "%-*s", TEXT_COLUMN, (const char *)label.data);
	put_quoted(out, &text);
	return cs_bytes_check(out);
}

enum cs_err cs_screen_render(const struct cs_screen *screen, struct cs_bytes *out)
{
	if (screen->failed)
		return CS_E_NOMEM;
	for (size_t i = 0; i < screen->count; i++) {
		const struct row *row = &screen->rows[i];
		if (row->title != NULL) {
			cs_bytes_addf(out, "\n%s\n", row->title);
			continue;
		}
		enum cs_err err = render_row(row, out);
		if (err != CS_OK)
			return err;
	}
	return cs_bytes_check(out);
}

/* Appends facts of at most SUMMARY_MAX bytes, cut between code points and outside escapes. */
static enum cs_err add_facts(
	json_t *facts, const struct row *section, const struct cs_bytes *summary)
{
	for (size_t at = 0; at < summary->len;) {
		size_t end = at;
		size_t width;
		char id[32];
		while (end < summary->len) {
			size_t step = unit(summary->data, summary->len, end, &width);
			if (end + step - at > SUMMARY_MAX)
				break;
			end += step;
		}
		snprintf(id, sizeof id, "fact-%03zu", json_array_size(facts) + 1);
		json_t *fact = json_pack("{s:s, s:s, s:s%, s:s}", "fact_id", id, "kind",
			section->kind, "summary", (const char *)summary->data + at, end - at,
			"source_object", section->source);
		if (fact == NULL || json_array_append_new(facts, fact) != 0)
			return CS_E_NOMEM;
		at = end;
	}
	return CS_OK;
}

/* The rows of one standing in the section that begins at `first`. */
static enum cs_err summarise(const struct cs_screen *screen, size_t first,
	enum cs_standing standing, struct cs_bytes *summary)
{
	for (size_t i = first + 1; i < screen->count && screen->rows[i].title == NULL; i++) {
		const struct row *row = &screen->rows[i];
		if (row->standing != standing)
			continue;
		if (summary->len == 0)
			cs_bytes_addf(summary, "%s: ", standing_word(standing));
		else
			cs_bytes_add_text(summary, "; ");
		cs_bytes_addf(summary, "%s ", row->label);
		enum cs_err err = quote(row->text, summary);
		if (err != CS_OK)
			return err;
	}
	return cs_bytes_check(summary);
}

enum cs_err cs_screen_facts(
	const struct cs_screen *screen, json_t **ret_facts, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *facts = json_array();
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = facts == NULL || screen->failed ? CS_E_NOMEM : CS_OK;

	for (size_t i = 0; err == CS_OK && i < screen->count; i++) {
		if (screen->rows[i].title == NULL)
			continue;
		for (int standing = CS_VERIFIED; err == CS_OK && standing <= CS_CLAIMED;
			standing++) {
			CS_CLEANUP_BYTES struct cs_bytes summary = {0};
			err = summarise(screen, i, (enum cs_standing)standing, &summary);
			if (err == CS_OK)
				err = add_facts(facts, &screen->rows[i], &summary);
		}
	}
	if (err == CS_OK)
		err = cs_canonical_print(facts, &text);
	if (err != CS_OK)
		return err;
	if (text.len > CS_SCREEN_MAX)
		return cs_fault_set(fault, CS_E_TOO_LARGE, "facts_shown",
			"more than %d bytes to read", CS_SCREEN_MAX);
	*ret_facts = json_incref(facts);
	return CS_OK;
}
