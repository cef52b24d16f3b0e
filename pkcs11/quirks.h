/*
 * What has to be known about particular modules and tokens. One table; everything that holds for
 * all of them is code: ECDSA is always hashed on the host (CKM_ECDSA), and calls into one module
 * are always made one at a time, because tpm2-pkcs11 answers two threads with
 * CKR_OPERATION_NOT_INITIALIZED and SoftHSM gains nothing from them.
 */
#ifndef CS_PKCS11_QUIRKS_H
#define CS_PKCS11_QUIRKS_H

#include <stdbool.h>

struct cs_quirks {
	/* Stable name of the product: the vendor's arc where there is one. NULL when not listed. */
	const char *product;
	bool software; /* the keys are in software: their assurance is `software` */
};

/*
 * Never NULL. `manufacturer` and `model` are the token's (CK_TOKEN_INFO), without padding. A
 * software token behind a forwarding module keeps its own names, so that it is not taken for
 * hardware.
 */
const struct cs_quirks *cs_quirks_of(const char *manufacturer, const char *model);

/*
 * Why a module with this file name must not be used, or NULL: pkcs11-spy writes the PIN to a log
 * in clear.
 */
const char *cs_quirks_module_refused(const char *path);

#endif
