#include "log.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void cs_log(enum cs_log_level level, const char *fmt, ...)
{
	CS_CLEANUP_BYTES struct cs_bytes line = {0};
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	cs_bytes_addf(&line, "<%d>", (int)level);
	cs_text_show(text, strlen(text), 0, 0, &line);
	cs_bytes_add(&line, "\n", 1);
	if (cs_bytes_check(&line) != CS_OK)
		return;
	/* One write, so that lines of two processes do not mix. A log that cannot be written has nowhere to say so. */
	if (write(STDERR_FILENO, line.data, line.len) < 0)
		return;
}

void cs_log_fault(
	enum cs_log_level level, const char *what, enum cs_err err, const struct cs_fault *fault)
{
	const struct cs_fault none = {0}, *why = fault != NULL ? fault : &none;

	cs_log(level, "%s: %s (%s)%s%s%s%s", what, cs_err_text(err), cs_err_name(err),
		why->path[0] ? " at " : "", why->path, why->detail[0] ? ": " : "", why->detail);
}
