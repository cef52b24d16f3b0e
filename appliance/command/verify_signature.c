#include "command.h"
#include "file.h"
#include "report.h"
#include "signature.h"

#include <countersign/limits.h>

/*
 * Verification by the standards alone (RFC 8032, FIPS 186-5): no low S is demanded here, because
 * the signature may be anybody's.
 */
enum cs_err cs_command_verify_signature(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes pem = {0};
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	CS_CLEANUP_BYTES struct cs_bytes signature = {0};
	const char *key_file = cs_call_value(call, "key");
	struct cs_public_key key;
	enum cs_alg alg;
	enum cs_err err;

	if (cs_alg_by_name(cs_call_value(call, "alg"), &alg) != CS_OK)
		return cs_fault_set(fault, CS_E_USAGE, "", "--alg is EdDSA, ES256 or ES384");
	err = cs_file_read(key_file, CS_MESSAGE_MAX, &pem, fault);
	if (err == CS_OK)
		err = cs_file_read(
			cs_call_value(call, "message"), CS_COMMAND_FILE_MAX, &message, fault);
	if (err == CS_OK)
		err = cs_file_read(
			cs_call_value(call, "signature"), CS_MESSAGE_MAX, &signature, fault);
	if (err != CS_OK)
		return err;

	err = cs_public_key_from_pem(pem.data != NULL ? (const void *)pem.data : "", pem.len, &key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, key_file,
			"not a SubjectPublicKeyInfo in PEM with a usable key");
	if (key.alg != alg)
		return cs_fault_set(
			fault, CS_E_ALGORITHM, key_file, "the key is for %s", cs_alg_name(key.alg));
	err = cs_signature_verify(&key, message.data != NULL ? (const void *)message.data : "",
		message.len, signature.data != NULL ? signature.data : (const uint8_t *)"",
		signature.len, cs_call_has(call, "der") ? CS_SIGNATURE_DER : 0);
	if (err != CS_OK)
		return cs_fault_set(
			fault, err, "", "not a signature of this message by this key");
	if (!call->json)
		return CS_OK;
	CS_CLEANUP_JSON json_t *result = json_pack("{s:b}", "verified", 1);
	return result == NULL ? CS_E_NOMEM : cs_report_json(result, fault);
}
