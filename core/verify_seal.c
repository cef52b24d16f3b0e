#include "verify_check.h"
#include "note.h"
#include "rule.h"

#include <countersign/limits.h>
#include <string.h>

/* ---- the key ---- */

static enum cs_err seal_key_at(
	struct cs_verification *v, const char *kid, const char *schema, struct cs_fault *fault)
{
	enum cs_err err = cs_keyring_key_at(
		v->in->ring, kid, schema, NULL, v->issued_at, "/signatures/0", &v->seal_key, fault);

	if (err == CS_E_KEY_REVOKED && !cs_rule_on(CS_RULE_VERIFY_REVOCATION)) {
		v->seal_key = cs_keyring_find(v->in->ring, kid);
		err = CS_OK;
	}
	return err;
}

/*
 * Whoever stole a key dates back what it signs. So once a revocation names the last checkpoint that
 * can be trusted, a seal by that key counts only with a proof that leads to this very tree head.
 * `shown` is NULL for a seal without a proof.
 */
static enum cs_err check_last_trusted(
	const struct cs_verification *v, const struct cs_checkpoint *shown, struct cs_fault *fault)
{
	const char *text = v->seal_key->last_trusted_checkpoint;
	struct cs_checkpoint trusted;

	if (text == NULL || !cs_rule_on(CS_RULE_VERIFY_REVOCATION))
		return CS_OK;
	if (shown == NULL)
		return cs_fault_set(fault, CS_E_KEY_REVOKED, "/signatures/0",
			"%s was revoked with a last trusted checkpoint: an inclusion proof is "
			"required",
			v->seal_key->kid);
	/* With or without its signatures: the two people who signed the revocation vouch for it. */
	const char *signatures = strstr(text, "\n\n");
	size_t len = signatures != NULL ? (size_t)(signatures - text) + 1 : strlen(text);
	if (cs_checkpoint_parse(text, len, &trusted) != CS_OK)
		return cs_fault_set(fault, CS_E_CHECKPOINT, "/signatures/0",
			"the last trusted checkpoint of %s cannot be read", v->seal_key->kid);
	if (strcmp(trusted.origin, shown->origin) != 0 || trusted.size != shown->size ||
		memcmp(trusted.root, shown->root, CS_HASH) != 0)
		return cs_fault_set(fault, CS_E_KEY_REVOKED, "/signatures/0",
			"the proof does not lead to the last trusted checkpoint of %s",
			v->seal_key->kid);
	return CS_OK;
}

/* ---- the compact JWS ---- */

static enum cs_err open_jws(struct cs_verification *v, const char *seal, char *kid,
	struct cs_bytes *payload, struct cs_fault *fault)
{
	enum cs_err err = cs_jws_open(seal, strlen(seal), kid, CS_ID_MAX + 1, payload);

	v->form = CS_SEAL_JWS;
	return err == CS_OK ? CS_OK
			    : cs_fault_set(fault, err, "/signatures/0/signature", "%s",
				      cs_err_text(err));
}

static enum cs_err verify_jws(
	struct cs_verification *v, const char *seal, const char *kid, struct cs_fault *fault)
{
	enum cs_err err = seal_key_at(v, kid, "countersign.seal_statement.v1", fault);

	if (err != CS_OK)
		return err;
	if (v->seal_key->usage != CS_USAGE_SEAL)
		return cs_fault_set(
			fault, CS_E_KEY_USAGE, "/signatures/0", "%s is no seal key", kid);
	err = cs_jws_verify(seal, strlen(seal), kid, &v->seal_key->key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/signatures/0/signature", "%s", cs_err_text(err));
	return check_last_trusted(v, NULL, fault);
}

/* ---- the tlog-proof ---- */

static enum cs_err open_proof(struct cs_verification *v, const char *seal,
	struct cs_tlog_proof *proof, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_base64url_decode(seal, strlen(seal), &text);

	v->form = CS_SEAL_TLOG;
	if (err == CS_OK)
		err = cs_tlog_proof_parse((const char *)text.data, text.len, proof);
	return err == CS_OK ? CS_OK
			    : cs_fault_set(fault, err, "/signatures/0/signature", "%s",
				      cs_err_text(err));
}

/*
 * A signed note may carry lines by anybody. Nothing in a pack goes unverified, and no witness's key
 * is known here: one line, the log's own.
 */
static enum cs_err check_lines(const struct cs_bytes *note, struct cs_fault *fault)
{
	size_t lines = 0;

	for (size_t i = note->len;
		i-- > 1 && !(note->data[i] == '\n' && note->data[i - 1] == '\n');)
		lines += note->data[i] == '\n';
	return lines == 1 ? CS_OK
			  : cs_fault_set(fault, CS_E_NOTE, "/signatures/0/signature",
				    "the checkpoint has %zu signature lines, of which one can be "
				    "verified",
				    lines);
}

/*
 * The proof of a tree's newest leaf is made of the subtrees before it, so it says whether the head
 * that the statement names is theirs. Of an older leaf it says nothing about that.
 */
static bool head_before(
	const struct cs_tlog_proof *proof, uint64_t size, const uint8_t root[CS_HASH])
{
	struct cs_frontier before = {.size = proof->index, .count = proof->count};
	uint8_t found[CS_HASH];

	if (size != proof->index + 1)
		return true;
	for (size_t i = 0; i < proof->count; i++)
		memcpy(before.hash[i], proof->proof[proof->count - 1 - i], CS_HASH);
	cs_merkle_root(&before, found);
	return memcmp(found, root, CS_HASH) == 0;
}

static enum cs_err verify_proof(
	struct cs_verification *v, const struct cs_tlog_proof *proof, struct cs_fault *fault)
{
	const char *origin = cs_json_text_at(v->statement, "log/origin");
	const struct cs_key_info *key = origin != NULL
						? cs_keyring_appliance_key_at(v->in->ring, origin,
							  CS_USAGE_CHECKPOINT, v->issued_at)
						: NULL;
	struct cs_checkpoint checkpoint;
	struct cs_note_key note_key;
	uint8_t root[CS_HASH];
	uint64_t index;
	enum cs_err err;

	if (key == NULL)
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, "/signatures/0/signature",
			"no checkpoint key of this log was valid then");
	err = seal_key_at(v, key->kid, CS_USAGE_SCHEMA_CHECKPOINT, fault);
	if (err == CS_OK)
		err = check_lines(&proof->checkpoint, fault);
	if (err != CS_OK)
		return err;
	err = cs_note_key_set(origin, &key->key, &note_key);
	if (err == CS_OK)
		err = cs_tlog_proof_verify(proof, &note_key, &checkpoint);
	if (err == CS_OK)
		err = cs_statement_log(v->statement, &index, root);
	if (err == CS_OK && index != proof->index)
		err = CS_E_PROOF;
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/signatures/0/signature", "%s", cs_err_text(err));
	if (!head_before(proof, checkpoint.size, root))
		return cs_fault_set(fault, CS_E_LOG_FORK, "/log/after/root",
			"not the head of the leaves before this one");
	return check_last_trusted(v, &checkpoint, fault);
}

/* ---- the statement ---- */

static enum cs_err read_statement(
	struct cs_verification *v, const struct cs_bytes *leaf, struct cs_fault *fault)
{
	const char *issued_at;
	enum cs_err err = cs_json_read_canonical(
		leaf->data, leaf->len, CS_STATEMENT_MAX, &v->statement, fault);

	if (err == CS_OK)
		err = cs_statement_shape(v->in->registry, v->statement, v->form, fault);
	if (err != CS_OK)
		return err;
	issued_at = cs_json_text(v->statement, "issued_at");
	return cs_time_parse(issued_at != NULL ? issued_at : "", &v->issued_at, fault);
}

static enum cs_err open_and_verify(
	struct cs_verification *v, const char *text, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	struct cs_tlog_proof proof = {0};
	char kid[CS_ID_MAX + 1] = "";
	enum cs_err err;

	if (strncmp(text, "sig:jws:", 8) == 0) {
		err = open_jws(v, text + 8, kid, &payload, fault);
		if (err == CS_OK)
			err = read_statement(v, &payload, fault);
		return err == CS_OK ? verify_jws(v, text + 8, kid, fault) : err;
	}
	if (strncmp(text, "sig:tlog:", 9) != 0)
		return cs_fault_set(fault, CS_E_SIGNATURE_FORM, "/signatures/0/signature",
			"neither sig:jws: nor sig:tlog:");
	err = open_proof(v, text + 9, &proof, fault);
	if (err == CS_OK)
		err = read_statement(v, &proof.extra, fault);
	if (err == CS_OK)
		err = verify_proof(v, &proof, fault);
	cs_tlog_proof_free(&proof);
	return err;
}

static enum cs_err check_signature(struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *signatures = json_object_get(v->in->document, "signatures");
	const json_t *only = json_array_get(signatures, 0);
	const char *text = cs_json_text(only, "signature"), *signer = cs_json_text(only, "signer"),
		   *signed_at = cs_json_text(only, "signed_at");
	enum cs_err err;

	if (json_array_size(signatures) != 1 || text == NULL || signer == NULL || signed_at == NULL)
		return cs_fault_set(fault, CS_E_SIGNATURE_FORM, "/signatures",
			"exactly one entry of signer, signature and signed_at is demanded");
	err = open_and_verify(v, text, fault);
	if (err != CS_OK)
		return err;
	if (strcmp(signer, v->seal_key->entity) != 0)
		return cs_fault_set(fault, CS_E_KEY_ENTITY, "/signatures/0/signer",
			"the key belongs to %s", v->seal_key->entity);
	if (strcmp(signed_at, cs_json_text(v->statement, "issued_at")) != 0)
		return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/signatures/0/signed_at",
			"the statement was issued at %s", cs_json_text(v->statement, "issued_at"));
	if (v->seal_key->origin == NULL ||
		strcmp(v->seal_key->origin, cs_json_text_at(v->statement, "log/origin")) != 0)
		return cs_fault_set(
			fault, CS_E_LOG_ORIGIN, "/log/origin", "the key seals another log");
	if (strcmp(v->seal_key->assurance, "software") == 0)
		v->test_assurance = true;
	return CS_OK;
}

static enum cs_err check_subject(const struct cs_verification *v, struct cs_fault *fault)
{
	char address[CS_ADDRESS_TEXT];
	const char *subject = cs_json_text(v->statement, "subject");
	enum cs_err err = cs_address_of(v->in->document, address);

	if (err != CS_OK)
		return cs_fault_set(fault, err, "", "%s", cs_err_text(err));
	if (cs_rule_on(CS_RULE_VERIFY_SUBJECT) && strcmp(subject, address) != 0)
		return cs_fault_set(fault, CS_E_ADDRESS_MISMATCH, "/subject",
			"the seal is for %s, this pack is %s", subject, address);
	return CS_OK;
}

void cs_verify_seal(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	enum cs_err err = check_signature(v, &fault);

	cs_verification_add(v, "seal", err, &fault);
	if (err != CS_OK) {
		/* Nobody vouches for the statement, so nothing is compared with it. */
		v->seal_key = NULL;
		return;
	}
	fault = (struct cs_fault){0};
	cs_verification_add(v, "subject", check_subject(v, &fault), &fault);
	fault = (struct cs_fault){0};
	err = cs_keyring_version_at(
		v->in->ring, cs_json_text(v->statement, "trust_set"), v->issued_at, &fault);
	cs_verification_add(v, "trust_set_in_force", err, &fault);
	if (v->form == CS_SEAL_TLOG)
		cs_verification_add(v, "inclusion", CS_OK, NULL);
	else
		cs_verification_skip(v, "inclusion",
			"an allow is sealed by itself; its inclusion proof can be had by id later");
}
