/*
 * PINs. A PIN lives in memory that is locked, surrounded by guard pages, read-only once filled,
 * and wiped when freed (libsodium's guarded heap). It is never printed, never part of a fault,
 * never taken from arguments or the environment.
 */
#ifndef CS_PKCS11_PIN_H
#define CS_PKCS11_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <countersign/error.h>

#define CS_PIN_MAX 255 /* bytes */

struct cs_pin;

void cs_pin_free(struct cs_pin *pin); /* NULL is fine */
void cs_pin_cleanup(struct cs_pin **pin);
#define CS_CLEANUP_PIN __attribute__((cleanup(cs_pin_cleanup)))

/*
 * All of these give an object that the caller frees, and refuse an empty PIN, one above CS_PIN_MAX
 * bytes and one that holds a control character. One trailing newline (or CR LF) is dropped.
 * CS_E_PIN_SOURCE with the reason, CS_E_NOMEM.
 */

/*
 * A copy of `text`; the caller wipes its own. For a PIN that the program itself made, and for
 * tests.
 */
CS_MUST_CHECK enum cs_err cs_pin_copy(
	const void *text, size_t len, struct cs_pin **ret_pin, struct cs_fault *fault);

/*
 * From a regular file, not a symbolic link, owned by root or by the process's effective user and
 * without any permission for group or others.
 */
CS_MUST_CHECK enum cs_err cs_pin_from_file(
	const char *path, struct cs_pin **ret_pin, struct cs_fault *fault);

/*
 * From a systemd credential (systemd.exec(5), LoadCredential=): file `name` in `directory`, which
 * the program takes from CREDENTIALS_DIRECTORY. As cs_pin_from_file, but group permissions are not
 * judged: systemd grants a service's user its credentials by an access control list, whose mask
 * stat(2) shows as the group's bits.
 */
CS_MUST_CHECK enum cs_err cs_pin_from_credential(
	const char *directory, const char *name, struct cs_pin **ret_pin, struct cs_fault *fault);

/*
 * Asks on the controlling terminal (/dev/tty, whatever standard input is) without echo. `prompt`
 * is written as it is: the caller has escaped foreign text in it. A signal that would end or stop
 * the process restores the terminal first; the call then fails after the signal was delivered.
 * CS_E_PIN_SOURCE too when there is no terminal or no PIN was entered. Not for programs with
 * several threads that rely on their own handlers for these signals.
 */
CS_MUST_CHECK enum cs_err cs_pin_prompt(
	const char *prompt, struct cs_pin **ret_pin, struct cs_fault *fault);

/*
 * For the Cryptoki calls that take a PIN, whose argument is not const: the bytes are not
 * terminated and must not be written (writing is a segmentation fault).
 */
uint8_t *cs_pin_bytes(const struct cs_pin *pin);
size_t cs_pin_len(const struct cs_pin *pin);

/*
 * A PIN that a token refused is never shown to a token again: cs_token_login marks it, and refuses
 * a marked one without a call, so that no loop can use up the tries.
 */
void cs_pin_mark_refused(struct cs_pin *pin);
bool cs_pin_refused(const struct cs_pin *pin);

#endif
