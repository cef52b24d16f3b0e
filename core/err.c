#include <countersign/error.h>
#include "bytes.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
} errors[] = {
#define CS_ERROR_ROW(symbol, row_name, row_text) [symbol] = {row_name, row_text},
	CS_ERRORS(CS_ERROR_ROW)
#undef CS_ERROR_ROW
};

const char *cs_err_name(enum cs_err err)
{
	return (unsigned)err < CS_ERR_COUNT ? errors[err].name : "unknown";
}

const char *cs_err_text(enum cs_err err)
{
	return (unsigned)err < CS_ERR_COUNT ? errors[err].text : "unknown error";
}

enum cs_err cs_err_by_name(const char *name)
{
	for (unsigned i = 0; i < CS_ERR_COUNT; i++)
		if (strcmp(errors[i].name, name) == 0)
			return (enum cs_err)i;
	return CS_ERR_COUNT;
}

/* The length of one escape of cs_text_show or one UTF-8 sequence. */
static size_t unit_len(const uint8_t *text, size_t len)
{
	size_t n = 1;

	if (text[0] == '\\' && len > 1 && text[1] == 'u') {
		while (n < len && text[n - 1] != '}')
			n++;
		return n;
	}
	if (text[0] == '\\' && len > 1)
		return 2;
	while (n < len && (text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Show first, then cut: what is left ends with a whole escape or character. */
static void store_shown(char *to, size_t size, const char *text)
{
	CS_CLEANUP_BYTES struct cs_bytes shown = {0};

	to[0] = '\0';
	if (cs_text_show(text, strlen(text), 0, 0, &shown) != CS_OK || shown.data == NULL)
		return;
	size_t len = 0, unit;
	while (len < shown.len && len + (unit = unit_len(shown.data + len, shown.len - len)) < size)
		len += unit;
	memcpy(to, shown.data, len);
	to[len] = '\0';
}

enum cs_err cs_fault_set(
	struct cs_fault *fault, enum cs_err err, const char *path, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (fault == NULL)
		return err;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	store_shown(fault->path, sizeof fault->path, path);
	store_shown(fault->detail, sizeof fault->detail, text);
	return err;
}
