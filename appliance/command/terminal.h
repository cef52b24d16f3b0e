/*
 * The controlling terminal, whatever standard input and output are: what must be read and
 * answered by a person goes there and nowhere else.
 */
#ifndef CS_TERMINAL_H
#define CS_TERMINAL_H

#include "bytes.h"

/* Writes to /dev/tty. CS_E_PIN_SOURCE when there is no terminal, CS_E_IO. */
CS_MUST_CHECK enum cs_err cs_terminal_write(const struct cs_bytes *text, struct cs_fault *fault);

/*
 * Asks `question` (written as it is) and reads one line. `*ret_yes` is true for "y" or "yes"
 * alone. What was typed before the question appeared does not count. CS_E_PIN_SOURCE without a
 * terminal, CS_E_IO.
 */
CS_MUST_CHECK enum cs_err cs_terminal_confirm(
	const char *question, bool *ret_yes, struct cs_fault *fault);

#endif
