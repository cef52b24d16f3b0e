/*
 * A PKCS #11 module (a vendor's shared library), loaded and initialised.
 *
 * libp11 loads the module, calls C_Initialize with CKF_OS_LOCKING_OK (SoftHSM with two threads
 * fails without it) and at the end C_Finalize. Everything else is raw Cryptoki on the module's own
 * function list, because libp11 0.4.12
 *
 *  - corrupts memory when its list of slots is refreshed (PKCS11_update_slots, a second time with
 *    two slots or more), and closes every session of a slot, ours included, when a list is
 *    released: a service that waits for its token to come back can do neither;
 *  - fails the whole list when one foreign slot answers with an error;
 *  - keeps the PIN in ordinary memory for as long as the login lasts, and after a login answers
 *    the next one itself, so that a token that was pulled and put back stays logged out;
 *  - knows no Ed25519, and enumerates no key at all on a token that holds one.
 *
 * Modules are loaded once per process: opening the same library again gives the same object. Calls
 * into a module are made one at a time (cs_module_lock), which every function of pkcs11/ does by
 * itself. Never fork without exec while a module is open: the child could sign with the parent's
 * login; cs_module_use refuses there.
 */
#ifndef CS_PKCS11_MODULE_H
#define CS_PKCS11_MODULE_H

#include <p11-kit/pkcs11.h>
#include <countersign/error.h>

struct cs_module;

/*
 * `path` is absolute. CS_E_MODULE: the path is not absolute, the library cannot be loaded (with
 * the loader's reason), has no C_GetFunctionList, cannot be initialised, or logs PINs (quirks.h).
 * CS_E_NOMEM. Close with cs_module_close.
 */
CS_MUST_CHECK enum cs_err cs_module_open(
	const char *path, struct cs_module **ret_module, struct cs_fault *fault);
/* The last close finalises the module and unloads it; close its tokens first. NULL is fine. */
void cs_module_close(struct cs_module *module);
void cs_module_cleanup(struct cs_module **module);
#define CS_CLEANUP_MODULE __attribute__((cleanup(cs_module_cleanup)))

const char *cs_module_path(const struct cs_module *module);
/* CK_INFO without padding; "" when the module gives none. */
const char *cs_module_manufacturer(const struct cs_module *module);
const char *cs_module_description(const struct cs_module *module);

/* ---- for the rest of pkcs11/ ---- */

/* The module's own list. Tests replace entries of it to see what happens when a call fails. */
CK_FUNCTION_LIST *cs_module_functions(const struct cs_module *module);

/* CS_E_STATE in a process that was forked after the module was opened. */
CS_MUST_CHECK enum cs_err cs_module_use(const struct cs_module *module, struct cs_fault *fault);

/* Recursive. */
void cs_module_lock(struct cs_module *module);
void cs_module_unlock(struct cs_module *module);

/* Tokens open on the module, as the tokens count them with +1 and -1; gives the new number. */
int cs_module_count_tokens(struct cs_module *module, int change);

/*
 * C_Finalize and C_Initialize: some modules see a token that came back only then. Every session of
 * the module ends. The lock is held and at most one token is open: CS_E_STATE otherwise.
 * CS_E_MODULE.
 */
CS_MUST_CHECK enum cs_err cs_module_restart(struct cs_module *module, struct cs_fault *fault);

/*
 * Cryptoki takes what it only reads as plain pointers; the standard has it leave the bytes alone
 * (section 5).
 */
static inline CK_BYTE_PTR cs_ck_in(const void *data)
{
	return (CK_BYTE_PTR)(unsigned long)data;
}

#endif
