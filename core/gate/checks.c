#include "checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_MAX 400 /* bytes; the schema of the record allows 400 characters */

static const struct {
	const char *engine;
	const char *name;
} checks[] = {
#define CS_CHECK_ROW(symbol, row_engine, row_name) [symbol] = {row_engine, row_name},
	CS_CHECKS(CS_CHECK_ROW)
#undef CS_CHECK_ROW
};

const char *cs_check_engine(enum cs_check check)
{
	return (unsigned)check < CS_CHECK_COUNT ? checks[check].engine : "unknown";
}

const char *cs_check_name(enum cs_check check)
{
	return (unsigned)check < CS_CHECK_COUNT ? checks[check].name : "unknown";
}

const char *cs_shown(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "none";
}

/* Values in a detail are the document's own; one that was cut must still be UTF-8. */
static void cut_at_character(char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	text[max] = '\0';
}

bool cs_check(struct cs_gate *gate, enum cs_check check, bool passed, const char *code,
	const char *fmt, ...)
{
	char detail[2 * DETAIL_MAX];
	va_list args;
	json_t *row;

	va_start(args, fmt);
	vsnprintf(detail, sizeof detail, fmt, args);
	va_end(args);
	cut_at_character(detail, DETAIL_MAX);

	if (check != gate->next)
		gate->out_of_order = true;
	gate->next = check + 1;
	row = json_pack("{ss ss sb ss ss}", "engine", cs_check_engine(check), "check",
		cs_check_name(check), "passed", passed, "reason_code", passed ? "ok" : code,
		"detail", detail);
	if (json_array_append_new(gate->list, row) != 0)
		gate->out_of_memory = true;
	if (!passed && gate->first_reason == NULL)
		gate->first_reason = code;
	return passed;
}

enum cs_err cs_gate_recorded(const struct cs_gate *gate, enum cs_check next)
{
	if (gate->out_of_memory)
		return CS_E_NOMEM;
	return gate->out_of_order || gate->next != next ? CS_E_INTERNAL : CS_OK;
}

bool cs_covers(const json_t *list, const char *id)
{
	size_t i;
	json_t *entry;

	if (id == NULL)
		return false;
	json_array_foreach(list, i, entry)
	{
		const char *text = json_string_value(entry);
		size_t len = text != NULL ? strlen(text) : 0;

		if (len > 0 && strncmp(id, text, len) == 0 && (id[len] == '\0' || id[len] == ':'))
			return true;
	}
	return false;
}

bool cs_in_window(const json_t *not_before, const json_t *not_after, cs_time now)
{
	cs_time bound;

	if (not_before != NULL && !json_is_null(not_before) &&
		(!json_is_string(not_before) ||
			cs_time_parse(json_string_value(not_before), &bound, NULL) != CS_OK ||
			now < bound))
		return false;
	if (not_after != NULL && !json_is_null(not_after) &&
		(!json_is_string(not_after) ||
			cs_time_parse(json_string_value(not_after), &bound, NULL) != CS_OK ||
			now >= bound))
		return false;
	return true;
}
