#include "receipt.h"
#include "note.h"
#include "statement.h"

#include <string.h>

static const char prefix[] = "sig:tlog:";

static bool is(const json_t *object, const char *key, const char *expected)
{
	const char *text = cs_json_text(object, key);

	return text != NULL && strcmp(text, expected) == 0;
}

static enum cs_err check_statement(const struct cs_approver *approver, const json_t *receipt,
	const char *decision, struct cs_fault *fault)
{
	const json_t *statement = json_object_get(receipt, "statement");
	enum cs_err err;

	if (statement == NULL)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "receipt/statement", "missing");
	err = cs_schema_check(
		approver->registry, "countersign.seal_statement.v1", statement, fault);
	if (err != CS_OK)
		return err;
	if (!is(receipt, "decision", decision) || !is(statement, "subject", decision) ||
		!is(statement, "kind", "approval"))
		return cs_fault_set(fault, CS_E_ADDRESS_MISMATCH, "receipt",
			"it is not about the decision %s", decision);
	return CS_OK;
}

static enum cs_err check_proof(const struct cs_approver *approver, const json_t *statement,
	const struct cs_tlog_proof *proof, cs_time now, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes leaf = {0};
	const struct cs_keyring *ring = cs_trust_keyring(approver->trust);
	const struct cs_key_info *key =
		cs_keyring_appliance_key(ring, approver->audience, CS_USAGE_CHECKPOINT);
	struct cs_note_key note_key;
	struct cs_checkpoint checkpoint;
	uint8_t root[CS_HASH];
	uint64_t index;
	enum cs_err err;

	if (key == NULL)
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, "receipt/seal",
			"your trust set has no checkpoint key for %s", approver->audience);
	err = cs_keyring_key_at(
		ring, key->kid, CS_USAGE_SCHEMA_CHECKPOINT, NULL, now, "receipt/seal", &key, fault);
	if (err == CS_OK)
		err = cs_canonical_print(statement, &leaf);
	if (err == CS_OK)
		err = cs_statement_log(statement, &index, root);
	if (err != CS_OK)
		return err;
	if (!cs_bytes_equal(proof->extra.data, proof->extra.len, leaf.data, leaf.len) ||
		proof->index != index)
		return cs_fault_set(fault, CS_E_PROOF, "receipt/seal",
			"the leaf that is proved is not this statement");
	err = cs_note_key_set(approver->audience, &key->key, &note_key);
	if (err == CS_OK)
		err = cs_tlog_proof_verify(proof, &note_key, &checkpoint);
	return err == CS_OK ? CS_OK
			    : cs_fault_set(fault, err, "receipt/seal", "not in the log of %s",
				      approver->audience);
}

enum cs_err cs_receipt_check(const struct cs_approver *approver, const json_t *receipt,
	const char *decision, cs_time now, uint64_t *ret_index, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_tlog_proof proof = {0};
	const char *seal = cs_json_text(receipt, "seal");
	enum cs_err err = check_statement(approver, receipt, decision, fault);

	if (err != CS_OK)
		return err;
	if (seal == NULL || strncmp(seal, prefix, sizeof prefix - 1) != 0)
		return cs_fault_set(fault, CS_E_PROOF, "receipt/seal", "no proof of the log");
	seal += sizeof prefix - 1;
	err = cs_base64url_decode(seal, strlen(seal), &text);
	if (err == CS_OK)
		err = cs_tlog_proof_parse((const char *)text.data, text.len, &proof);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "receipt/seal", "not a tlog-proof");
	err = check_proof(approver, json_object_get(receipt, "statement"), &proof, now, fault);
	if (err == CS_OK)
		*ret_index = proof.index;
	cs_tlog_proof_free(&proof);
	return err;
}
