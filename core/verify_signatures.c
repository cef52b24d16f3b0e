#include "verify_check.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>

/* ---- engine certificate ---- */

/*
 * The document key as it was when it certified, and not revoked since for the time that matters
 * here.
 */
static enum cs_err document_key_at(const struct cs_verification *v, const json_t *certificate,
	const char *kid, cs_time from, const struct cs_key_info **ret_key, struct cs_fault *fault)
{
	static const char path[] = "/engine_certificate/signature/kid";
	enum cs_err err = cs_keyring_key_at(v->in->ring, kid, "countersign.engine_certificate.v1",
		cs_json_text(certificate, "appliance"), from, path, ret_key, fault);

	if (!cs_rule_on(CS_RULE_VERIFY_REVOCATION)) {
		*ret_key = cs_keyring_find(v->in->ring, kid);
		return err == CS_E_KEY_REVOKED ? CS_OK : err;
	}
	if (err == CS_OK && v->issued_at >= (*ret_key)->revoked_at)
		return cs_fault_set(fault, CS_E_KEY_REVOKED, path,
			"%s was revoked before this was sealed", kid);
	return err;
}

static enum cs_err check_certificate(struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *certificate = json_object_get(v->inputs, "engine_certificate");
	const json_t *signature = json_object_get(certificate, "signature");
	const char *kid = cs_inline_kid(certificate), *origin = cs_json_text(certificate, "origin");
	const char *from_text = cs_json_text(certificate, "not_before"),
		   *until_text = cs_json_text(certificate, "not_after");
	const struct cs_key_info *document_key;
	cs_time from, until;
	enum cs_err err;

	if (kid == NULL || origin == NULL || from_text == NULL || until_text == NULL)
		return cs_fault_set(fault, CS_E_CERTIFICATE, "/engine_certificate", "incomplete");
	err = cs_time_parse(from_text, &from, fault);
	if (err == CS_OK)
		err = cs_time_parse(until_text, &until, fault);
	if (err == CS_OK)
		err = document_key_at(v, certificate, kid, from, &document_key, fault);
	if (err != CS_OK)
		return err;
	err = cs_inline_verify(certificate, signature, kid, &document_key->key);
	if (err != CS_OK)
		return cs_fault_set(
			fault, err, "/engine_certificate/signature", "%s", cs_err_text(err));
	if (document_key->origin == NULL || strcmp(document_key->origin, origin) != 0 ||
		strcmp(origin, cs_json_text_at(v->statement, "log/origin")) != 0)
		return cs_fault_set(
			fault, CS_E_CERTIFICATE, "/engine_certificate/origin", "for another log");
	if (until > cs_time_add_seconds(from, CS_CERTIFICATE_SECONDS))
		return cs_fault_set(fault, CS_E_CERTIFICATE, "/engine_certificate/not_after",
			"longer than %d seconds", CS_CERTIFICATE_SECONDS);
	if (v->issued_at < from || v->issued_at > until)
		return cs_fault_set(fault, CS_E_CERTIFICATE, "/engine_certificate",
			"not valid at %s", cs_json_text(v->statement, "issued_at"));
	err = cs_public_key_from_jwk(json_object_get(certificate, "jwk"), &v->engine_key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/engine_certificate/jwk", "%s", cs_err_text(err));
	v->engine_kid = cs_json_text(certificate, "kid");
	v->engine_ok = v->engine_kid != NULL;
	return v->engine_ok ? CS_OK
			    : cs_fault_set(fault, CS_E_CERTIFICATE, "/engine_certificate/kid",
				      "missing");
}

/* ---- what the engine signed ---- */

static enum cs_err engine_signed(const struct cs_verification *v, const json_t *document,
	const char *path, struct cs_fault *fault)
{
	const char *schema = cs_json_text(document, "schema");
	enum cs_err err;

	if (schema == NULL || !cs_usage_may_sign(CS_USAGE_ENGINE, schema))
		return cs_fault_set(
			fault, CS_E_KEY_USAGE, path, "the engine does not sign such a document");
	err = cs_inline_verify(
		document, json_object_get(document, "signature"), v->engine_kid, &v->engine_key);
	return err == CS_OK ? CS_OK : cs_fault_set(fault, err, path, "%s", cs_err_text(err));
}

static enum cs_err check_state_signature(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *signed_state = json_object_get(v->in->document, "signed_state");
	const char *text = cs_json_text(signed_state, "signature"),
		   *signer = cs_json_text(signed_state, "signer");
	const char *entity = cs_json_text_at(v->inputs, "engine_certificate/entity");
	CS_CLEANUP_JSON json_t *covered =
		json_pack("{ss ss? ss? ss?}", "schema", "countersign.state_signature.v1",
			"state_hash", cs_json_text(signed_state, "state_hash"), "signer", signer,
			"signed_at", cs_json_text(signed_state, "signed_at"));
	enum cs_err err = covered == NULL ? CS_E_NOMEM
					  : cs_sig_string_verify(covered, text != NULL ? text : "",
						    v->engine_kid, &v->engine_key);

	if (err != CS_OK)
		return cs_fault_set(fault, err, "/signed_state/signature", "%s", cs_err_text(err));
	if (signer == NULL || entity == NULL || strcmp(signer, entity) != 0)
		return cs_fault_set(fault, CS_E_KEY_ENTITY, "/signed_state/signer",
			"the session key belongs to %s", entity != NULL ? entity : "");
	return CS_OK;
}

static enum cs_err check_papers(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *paper;
	size_t i;

	json_array_foreach (json_object_get(v->inputs, "approvals"), i, paper) {
		char path[64];
		snprintf(path, sizeof path, "/approvals/%zu/brief", i);
		enum cs_err err = engine_signed(v, json_object_get(paper, "brief"), path, fault);
		snprintf(path, sizeof path, "/approvals/%zu/snapshot", i);
		if (err == CS_OK)
			err = engine_signed(v, json_object_get(paper, "snapshot"), path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err check_engine_signatures(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *consequences = json_object_get(v->inputs, "consequence_map");
	enum cs_err err = cs_map_verify(v->map, v->engine_kid, &v->engine_key, fault);

	if (err == CS_OK)
		err = check_state_signature(v, fault);
	if (err == CS_OK)
		err = engine_signed(v, v->decision, "/decision", fault);
	if (err == CS_OK && json_is_object(consequences))
		err = engine_signed(v, consequences, "/consequence_map", fault);
	return err == CS_OK ? check_papers(v, fault) : err;
}

/* ---- the map is what the documents give ---- */

static json_t *without_signatures(const json_t *map)
{
	json_t *copy = json_deep_copy(map);
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(copy, "nodes"), i, node) {
		if (json_object_set_new(node, "signature", json_string("")) != 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static enum cs_err check_map(const struct cs_verification *v, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *expected = NULL, *given = without_signatures(v->map);
	const char *created = cs_json_text(v->map, "created_at");
	cs_time created_at;
	enum cs_err err = cs_time_parse(created != NULL ? created : "", &created_at, fault);

	if (given == NULL)
		return CS_E_NOMEM;
	if (err == CS_OK)
		err = cs_map_compose(
			v->inputs, v->state, cs_json_text(v->map, "id"), created_at, &expected);
	if (err != CS_OK)
		return err;
	if (!cs_json_same(expected, given))
		return cs_fault_set(fault, CS_E_PACK, "/decision_map_ref",
			"the map is not the one that the pack's documents give");
	return CS_OK;
}

/* ---- grants ---- */

static enum cs_err check_grants(const struct cs_verification *v, struct cs_fault *fault)
{
	static const struct {
		const char *member;
		const char *schema;
	} lists[] = {{"grants", "kye.authority.grant.v1"}, {"purposes", "kye.purpose.grant.v1"}};

	for (size_t l = 0; l < 2; l++) {
		const json_t *grants = json_object_get(v->inputs, lists[l].member);
		const json_t *grant;
		size_t i;
		if (!cs_json_same(grants, json_object_get(v->state, lists[l].member)))
			return cs_fault_set(
				fault, CS_E_PACK, lists[l].member, "not those that the gate read");
		json_array_foreach (grants, i, grant) {
			struct cs_fault inner = {0};
			char path[64];
			enum cs_err err =
				cs_grant_verify(v->in->ring, grant, lists[l].schema, &inner);
			if (err == CS_OK)
				continue;
			snprintf(path, sizeof path, "/%s/%zu", lists[l].member, i);
			return cs_fault_set(fault, err, path, "%s %s", inner.path, inner.detail);
		}
	}
	if (!cs_json_same(json_object_get(v->inputs, "delegations"),
		    json_object_get(v->state, "delegations")))
		return cs_fault_set(
			fault, CS_E_PACK, "delegations", "not those that the gate read");
	return CS_OK;
}

static void add(struct cs_verification *v, const char *name, bool rule,
	enum cs_err (*check)(const struct cs_verification *, struct cs_fault *))
{
	struct cs_fault fault = {0};

	if (cs_verification_stop(v))
		return;
	cs_verification_add(v, name, rule ? check(v, &fault) : CS_OK, &fault);
}

void cs_verify_signatures(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	enum cs_err err = check_certificate(v, &fault);

	cs_verification_add(v, "engine_certificate", err, &fault);
	if (v->engine_ok)
		add(v, "engine_signatures", cs_rule_on(CS_RULE_VERIFY_ENGINE),
			check_engine_signatures);
	add(v, "decision_map", true, check_map);
	add(v, "grants", cs_rule_on(CS_RULE_VERIFY_GRANTS), check_grants);
	fault = (struct cs_fault){0};
	err = cs_policy_from_pack(v->in->registry, json_object_get(v->inputs, "policy"),
		v->in->ring, &v->policy, &fault);
	cs_verification_add(v, "policy", err, &fault);
}
