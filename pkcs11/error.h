/*
 * Return values of Cryptoki (PKCS #11 version 3.0, section 5.1) translated once, at the boundary.
 */
#ifndef CS_PKCS11_ERROR_H
#define CS_PKCS11_ERROR_H

#include <p11-kit/pkcs11.h>
#include <countersign/error.h>

/*
 * "CKR_PIN_INCORRECT"; "CKR_VENDOR_DEFINED" from 0x80000000 on; "CKR_UNKNOWN" for a value the
 * standard does not list. Static.
 */
const char *cs_ckr_name(CK_RV rv);

/*
 * CS_OK for CKR_OK, the listed error for values that mean something of their own, CS_E_TOKEN for
 * every other one:
 *
 *	CS_E_PIN		the PIN is wrong, or cannot be a PIN of this token
 *	CS_E_PIN_LOCKED		the PIN is locked
 *	CS_E_TOKEN_REMOVED	token, slot or session are gone
 *	CS_E_TOKEN_KEY		a key or object handle is not valid
 *	CS_E_TOKEN_MECHANISM	mechanism, curve or function not there
 *	CS_E_BUSY		no session left
 *	CS_E_NOMEM		the module has no memory
 *	CS_E_MODULE		the module is not initialised
 */
enum cs_err cs_ckr_err(CK_RV rv);

/*
 * Puts "C_Sign: CKR_DEVICE_REMOVED (0x32)" into fault->detail, `call` into fault->path, and
 * returns cs_ckr_err(rv). `fault` may be NULL.
 */
enum cs_err cs_ckr_fault(struct cs_fault *fault, const char *call, CK_RV rv);

#endif
