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

/* A detail cut at its limit must not end inside an escape or a UTF-8 sequence: show first, then cut at whole units. */
static void store_shown(char *to, size_t size, const char *text)
{
	CS_CLEANUP_BYTES struct cs_bytes shown = {0};

	to[0] = '\0';
	if (cs_text_show(text, strlen(text), 0, 0, &shown) != CS_OK || shown.data == NULL)
		return;
	size_t len = shown.len;
	if (len >= size) {
		len = size - 1;
		while (len > 0 && (shown.data[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, shown.data, len);
	to[len] = '\0';
}

enum cs_err cs_fault_set(struct cs_fault *fault, enum cs_err err, const char *path, const char *fmt, ...)
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
