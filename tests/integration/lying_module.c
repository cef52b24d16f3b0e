/*
 * A PKCS#11 module that is SoftHSM but for its signatures: the last byte of each is another one. What a faulty or swapped token gives.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stddef.h>

#define HONEST "/usr/lib/softhsm/libsofthsm2.so"

static CK_FUNCTION_LIST lying;
static CK_C_Sign honest_sign;

static CK_RV lie(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG len, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
	CK_RV rv = honest_sign(session, data, len, signature, signature_len);

	if (rv == CKR_OK && signature != NULL && *signature_len > 0)
		signature[*signature_len - 1] ^= 1;
	return rv;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	static void *module;
	CK_C_GetFunctionList honest;
	CK_FUNCTION_LIST_PTR functions;

	if (module == NULL)
		module = dlopen(HONEST, RTLD_NOW | RTLD_LOCAL);
	if (module == NULL)
		return CKR_GENERAL_ERROR;
	honest = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	if (honest == NULL || honest(&functions) != CKR_OK)
		return CKR_GENERAL_ERROR;
	lying = *functions;
	honest_sign = functions->C_Sign;
	lying.C_Sign = lie;
	*list = &lying;
	return CKR_OK;
}
