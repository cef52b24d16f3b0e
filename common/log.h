/*
 * One line per event on standard error, with the journal's priority prefix. Programs log; libraries return.
 */
#ifndef CS_LOG_H
#define CS_LOG_H

#include <countersign/error.h>

enum cs_log_level { CS_LOG_ERROR = 3, CS_LOG_WARNING = 4, CS_LOG_INFO = 6 };

/* Foreign text in the arguments is shown, never raw: control and format characters appear as \u{…}. */
void cs_log(enum cs_log_level level, const char *fmt, ...) CS_PRINTF(2, 3);
/* "what: text of err (name) at path: detail"; `fault` may be NULL. */
void cs_log_fault(enum cs_log_level level, const char *what, enum cs_err err, const struct cs_fault *fault);

#endif
