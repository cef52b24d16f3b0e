#include "report.h"
#include "text.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 80

int cs_exit_of(enum cs_err err)
{
	switch (err) {
	case CS_OK:
		return CS_EXIT_DONE;
	case CS_E_USAGE:
	case CS_E_IO:
	case CS_E_NOT_FOUND:
	case CS_E_CONFIG:
	case CS_E_URI:
	case CS_E_PIN_SOURCE:
		return CS_EXIT_USAGE;
	case CS_E_NOMEM:
	case CS_E_INTERNAL:
	case CS_E_TIMEOUT:
	case CS_E_BUSY:
	case CS_E_MODULE:
	case CS_E_TOKEN_MISSING:
	case CS_E_TOKEN_AMBIGUOUS:
	case CS_E_TOKEN_REMOVED:
	case CS_E_TOKEN:
	case CS_E_TOKEN_KEY:
	case CS_E_TOKEN_KEY_AMBIGUOUS:
	case CS_E_PIN_LOCKED:
	case CS_E_PIN_LAST_TRY:
	case CS_E_SERVICE:
	case CS_E_SIGNER_DOWN:
	case CS_E_STORE:
		return CS_EXIT_UNAVAILABLE;
	case CS_E_UNSUPPORTED:
	case CS_E_SCHEMA_UNSUPPORTED:
	case CS_E_TOKEN_MECHANISM:
		return CS_EXIT_UNSUPPORTED;
	default:
		return CS_EXIT_REFUSED;
	}
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

enum cs_err cs_report_write(const struct cs_bytes *text, struct cs_fault *fault)
{
	enum cs_err err = cs_bytes_check(text);

	if (err != CS_OK)
		return err;
	if (!write_all(STDOUT_FILENO, text->data, text->len))
		return cs_fault_set(
			fault, CS_E_IO, "", "cannot write to standard output: %s", strerror(errno));
	return CS_OK;
}

/*
 * The canonical form leaves DEL, C1 and bidirectional controls as they are, and a terminal would
 * obey them.
 */
static void add_escaped(struct cs_bytes *out, const struct cs_bytes *json)
{
	const char *text = (const char *)json->data;

	for (size_t at = 0; at < json->len;) {
		uint32_t code;
		size_t step = cs_utf8_decode(text + at, json->len - at, &code);
		if (step == 0)
			break;
		if ((code >= 0x20 && code < 0x7f) ||
			cs_text_check(text + at, step, 0, NULL) == CS_OK)
			cs_bytes_add(out, text + at, step);
		else if (code < 0x10000)
			cs_bytes_addf(out, "\\u%04x", (unsigned)code);
		else
			cs_bytes_addf(out, "\\u%04x\\u%04x",
				(unsigned)(0xd800 + ((code - 0x10000) >> 10)),
				(unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
		at += step;
	}
}

enum cs_err cs_report_json(const json_t *doc, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes json = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_canonical_print(doc, &json);

	if (err != CS_OK)
		return cs_fault_set(fault, err, "", "cannot print the result");
	add_escaped(&text, &json);
	cs_bytes_add(&text, "\n", 1);
	return cs_report_write(&text, fault);
}

json_t *cs_report_text(const char *text)
{
	CS_CLEANUP_BYTES struct cs_bytes shown = {0};
	json_t *string = json_string(text);

	if (string != NULL || cs_text_show(text, strlen(text), 0, 0, &shown) != CS_OK ||
		shown.data == NULL)
		return string;
	return json_string((const char *)shown.data);
}

void cs_report_error(enum cs_err err, const struct cs_fault *fault, bool json)
{
	CS_CLEANUP_BYTES struct cs_bytes line = {0};

	cs_bytes_addf(&line, "error: %s: %s", cs_err_name(err), cs_err_text(err));
	if (fault->path[0] != '\0')
		cs_bytes_addf(&line, " at %s", fault->path);
	if (fault->detail[0] != '\0')
		cs_bytes_addf(&line, ": %s", fault->detail);
	cs_bytes_add(&line, "\n", 1);
	/* Nothing is left to report to when standard error is gone too. */
	if (cs_bytes_check(&line) == CS_OK && !write_all(STDERR_FILENO, line.data, line.len))
		return;
	if (!json)
		return;
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:{s:s, s:s, s:s}}", "error", "code",
		cs_err_name(err), "detail",
		fault->detail[0] != '\0' ? fault->detail : cs_err_text(err), "path", fault->path);
	if (doc != NULL && cs_report_json(doc, NULL) != CS_OK)
		return;
}

/*
 * Bytes up to the next place to break, at most `room` columns. Never fewer columns are counted
 * than a terminal takes, or it would
 * fold the line itself and foreign text would begin in the first column, where labels stand: wide
 * characters begin at U+1100.
 */
static size_t take(const char *text, size_t len, size_t room)
{
	size_t columns = 0;
	size_t at = 0;
	size_t space = 0;

	while (at < len && text[at] != '\n') {
		unsigned char first = (unsigned char)text[at];
		size_t width = first >= 0xe1 ? 2 : 1;
		size_t step = 1;
		while (at + step < len && ((unsigned char)text[at + step] & 0xc0) == 0x80)
			step++;
		if (columns + width > room)
			break;
		if (text[at] == ' ' && at > 0)
			space = at;
		at += step;
		columns += width;
	}
	return at < len && text[at] != '\n' && text[at] != ' ' && space > 0 ? space : at;
}

void cs_report_field(struct cs_bytes *out, const char *label, unsigned column, const char *text)
{
	CS_CLEANUP_BYTES struct cs_bytes shown = {0};
	size_t at = 0;

	if (text == NULL || text[0] == '\0')
		text = text == NULL ? "-" : "(empty)";
	if (cs_text_show(text, strlen(text), CS_TEXT_NEWLINE, 0, &shown) != CS_OK) {
		out->failed = true;
		return;
	}
	cs_bytes_addf(out, "%-*s", (int)column, label);
	if (strlen(label) >= column)
		cs_bytes_addf(out, "\n%*s", (int)column, "");
	do {
		size_t len = take((const char *)shown.data + at, shown.len - at, COLUMNS - column);
		if (at > 0)
			cs_bytes_addf(out, "%*s", (int)column, "");
		cs_bytes_add(out, shown.data + at, len);
		cs_bytes_add(out, "\n", 1);
		at += len;
		if (at < shown.len && (shown.data[at] == ' ' || shown.data[at] == '\n'))
			at++;
	} while (at < shown.len);
}
