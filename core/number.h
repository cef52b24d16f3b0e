/*
 * Numbers as RFC 8785 section 3.2.2.3 prints them: ECMAScript's Number::toString, the shortest
 * digits that read back to the same double.
 */
#ifndef CS_NUMBER_H
#define CS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <countersign/error.h>

#define CS_NUMBER_TEXT 32 /* longest text and its NUL */

/* CS_E_JSON_RANGE for NaN and the infinities. */
CS_MUST_CHECK enum cs_err cs_number_print(double value, char text[CS_NUMBER_TEXT]);

/*
 * Reads one JSON number literal (RFC 8259 section 6), not NUL-terminated. CS_E_JSON_SYNTAX if it is
 * none, CS_E_JSON_RANGE beyond a double, CS_E_JSON_INEXACT for an integer literal (no fraction, no
 * exponent) that differs from its own RFC 8785 output.
 */
CS_MUST_CHECK enum cs_err cs_number_read(const char *text, size_t len, double *ret_value);

#endif
