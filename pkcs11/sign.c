#include "sign.h"
#include "error.h"
#include "point.h"
#include "core/rule.h"

#include <string.h>
#include <openssl/sha.h>

#define DIGEST_MAX SHA384_DIGEST_LENGTH
/* Room for an answer that is too long, so that it is told from a right one. */
#define ANSWER_MAX 256

/* What the token signs: the message itself or its digest. */
static const void *to_be_signed(enum cs_alg alg, const void *message, size_t len,
	uint8_t digest[DIGEST_MAX], size_t *ret_len)
{
	switch (alg) {
	case CS_ALG_ES256:
		SHA256(message, len, digest);
		*ret_len = SHA256_DIGEST_LENGTH;
		return digest;
	case CS_ALG_ES384:
		SHA384(message, len, digest);
		*ret_len = SHA384_DIGEST_LENGTH;
		return digest;
	case CS_ALG_EDDSA:
		break;
	}
	*ret_len = len;
	return message;
}

/*
 * C_SignInit, the PIN if the key wants it, C_Sign. An operation that was begun and not ended would
 * block the session.
 */
static enum cs_err ask_token(struct cs_token_key *key, struct cs_pin *pin, const void *data,
	size_t len, uint8_t *answer, CK_ULONG *ret_len, struct cs_fault *fault)
{
	struct cs_token *token = cs_token_key_token(key);
	const CK_FUNCTION_LIST *p11 = cs_module_functions(cs_token_module(token));
	CK_MECHANISM mechanism = {cs_curve_params_of(cs_token_key_alg(key))->sign, NULL, 0};
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
	CK_ULONG answer_len = ANSWER_MAX;
	enum cs_err err = cs_token_session(token, &session, fault);

	if (err == CS_OK)
		err = cs_token_key_handle(key, &handle, fault);
	if (err != CS_OK)
		return err;
	CK_RV rv = p11->C_SignInit(session, &mechanism, handle);
	if (rv != CKR_OK) {
		err = cs_token_fault(token, "C_SignInit", rv, fault);
		goto out;
	}
	if (cs_token_key_pin_each_time(key)) {
		err = cs_token_login_for_operation(token, pin, fault);
		if (err != CS_OK)
			goto out;
	}
	rv = p11->C_Sign(session, cs_ck_in(data), len, answer, &answer_len);
	if (rv != CKR_OK)
		err = cs_token_fault(token, "C_Sign", rv, fault);
out:
	if (err == CS_OK)
		*ret_len = answer_len;
	else
		cs_token_renew_session(token);
	return err;
}

static enum cs_err judge(const struct cs_public_key *pinned, const void *message,
	size_t message_len, uint8_t *answer, size_t answer_len, struct cs_fault *fault)
{
	if (answer_len != cs_alg_signature_len(pinned->alg))
		return cs_fault_set(fault, CS_E_SIGNATURE_SELF, "C_Sign",
			"the token gave %zu bytes for an %s signature", answer_len,
			cs_alg_name(pinned->alg));
	if (cs_signature_lower_s(pinned->alg, answer, answer_len) != CS_OK)
		return cs_fault_set(fault, CS_E_SIGNATURE_SELF, "C_Sign",
			"the token gave no %s signature", cs_alg_name(pinned->alg));
	enum cs_err err = cs_signature_verify(
		pinned, message, message_len, answer, answer_len, CS_SIGNATURE_LOW_S);
	if (err != CS_OK && err != CS_E_NOMEM && cs_rule_on(CS_RULE_SELF_VERIFY))
		return cs_fault_set(fault, CS_E_SIGNATURE_SELF, "C_Sign",
			"the token's signature does not verify under the pinned key (%s): another "
			"key or token answered",
			cs_err_text(err));
	return err == CS_E_NOMEM ? cs_fault_set(fault, err, "", "out of memory") : CS_OK;
}

static enum cs_err check_alg(
	const struct cs_token_key *key, const struct cs_public_key *pinned, struct cs_fault *fault)
{
	if (cs_token_key_alg(key) == pinned->alg)
		return CS_OK;
	return cs_fault_set(fault, CS_E_ALGORITHM, "key",
		"token key '%s' is for %s, the pinned key for %s", cs_token_key_label(key),
		cs_alg_name(cs_token_key_alg(key)), cs_alg_name(pinned->alg));
}

enum cs_err cs_token_key_sign(struct cs_token_key *key, const struct cs_public_key *pinned,
	struct cs_pin *pin, const void *message, size_t message_len, uint8_t *signature,
	struct cs_fault *fault)
{
	struct cs_module *module = cs_token_module(cs_token_key_token(key));
	uint8_t digest[DIGEST_MAX];
	uint8_t answer[ANSWER_MAX] = {0};
	CK_ULONG answer_len = 0;
	size_t len = 0;
	enum cs_err err = check_alg(key, pinned, fault);

	if (err != CS_OK)
		return err;
	const void *data = to_be_signed(pinned->alg, message, message_len, digest, &len);
	cs_module_lock(module);
	err = ask_token(key, pin, data, len, answer, &answer_len, fault);
	cs_module_unlock(module);
	if (err == CS_OK)
		err = judge(pinned, message, message_len, answer, answer_len, fault);
	if (err == CS_OK)
		memcpy(signature, answer, answer_len);
	return err;
}

static enum cs_err sign(void *context, const void *message, size_t message_len, uint8_t *signature)
{
	struct cs_token_signer *self = context;

	memset(&self->fault, 0, sizeof self->fault);
	return cs_token_key_sign(self->key, &self->signer.key, self->pin, message, message_len,
		signature, &self->fault);
}

enum cs_err cs_token_signer_set(struct cs_token_signer *signer, struct cs_token_key *key,
	const char *kid, const struct cs_public_key *pinned, struct cs_pin *pin,
	struct cs_fault *fault)
{
	enum cs_err err = check_alg(key, pinned, fault);

	if (err != CS_OK)
		return err;
	memset(signer, 0, sizeof *signer);
	signer->signer.kid = kid;
	signer->signer.key = *pinned;
	signer->signer.sign = sign;
	signer->signer.context = signer;
	signer->key = key;
	signer->pin = pin;
	return CS_OK;
}
