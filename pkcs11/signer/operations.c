#include "operations.h"
#include "clock_now.h"
#include "jose.h"
#include "log.h"
#include "note.h"
#include "rules.h"

#include <sodium.h>
#include <string.h>

#define SOFTWARE "countersign-signer 1"

/* ---- status ---- */

static json_t *key_status(const struct cs_service *s)
{
	const json_t *appliance = cs_trust_appliance(s->trust, s->origin);

	return json_pack("{ss* ss* ss*}", "seal", cs_json_text(appliance, "seal_key"), "checkpoint",
		cs_json_text(appliance, "checkpoint_key"), "document",
		cs_json_text(appliance, "document_key"));
}

static json_t *log_status(const struct cs_service *s)
{
	const struct cs_frontier *tree = cs_signer_frontier_tree(s->frontier);
	cs_time last = cs_signer_frontier_last_issued(s->frontier);
	char address[CS_ADDRESS_TEXT] = "sha256:", time[CS_TIME_TEXT];
	uint8_t root[CS_HASH];

	cs_merkle_root(tree, root);
	cs_hex_encode(root, CS_HASH, address + 7);
	return json_pack("{sI ss so ss}", "size", (json_int_t)tree->size, "root", address,
		"last_issued_at",
		tree->size > 0 ? json_string(cs_time_print(last, time)) : json_null(), "anchor",
		"unanchored");
}

static json_t *token_status(const struct cs_service *s)
{
	if (s->keys == NULL)
		return json_null();
	return json_pack("{ss ss}", "product", cs_signer_keys_product(s->keys), "serial",
		cs_signer_keys_serial(s->keys));
}

static enum cs_err status(struct cs_service *s, json_t **ret_document)
{
	struct cs_fault fault = {0};
	char now[CS_TIME_TEXT], reason[400];
	enum cs_err ready = cs_service_ready(s, &fault);

	snprintf(reason, sizeof reason, "%s: %s", cs_err_name(ready),
		fault.detail[0] ? fault.detail : cs_err_text(ready));
	json_t *document = json_pack("{ss ss ss ss ss so so so s{ss sI} s{ss sI} so sI}", "schema",
		"countersign.signer_status.v1", "software", SOFTWARE, "origin", s->origin, "time",
		cs_time_print(cs_now(), now), "state",
		ready == CS_OK ? "ready" : "token_unavailable", "reason",
		ready == CS_OK ? json_null() : json_string(reason), "token", token_status(s),
		"keys", key_status(s), "trust_set", "address", cs_trust_address(s->trust),
		"version", (json_int_t)cs_trust_version(s->trust), "policy", "address",
		cs_policy_address(s->policy), "version", (json_int_t)cs_policy_version(s->policy),
		"log", log_status(s), "consumed",
		(json_int_t)cs_signer_frontier_consumed_count(s->frontier));
	if (document == NULL)
		return CS_E_NOMEM;
	*ret_document = document;
	return CS_OK;
}

static enum cs_err do_hello(struct cs_service *s, const struct cs_wire_request *request,
	json_t **ret_document, struct cs_fault *fault)
{
	enum cs_err err = cs_rules_hello(s->frontier, request->size, request->root, fault);

	return err != CS_OK ? err : status(s, ret_document);
}

static enum cs_err do_health(struct cs_service *s, const struct cs_wire_request *request,
	json_t **ret_document, struct cs_fault *fault)
{
	(void)request;
	(void)fault;
	return status(s, ret_document);
}

/*
 * Whatever keeps the token from signing is our operator's to mend and says nothing of what was to
 * be signed: one code, on which the broker waits, and the reason's own name before its detail.
 */
static enum cs_err unavailable(enum cs_err err, const struct cs_fault *why, struct cs_fault *fault)
{
	if (err == CS_OK || err == CS_E_NOMEM)
		return err;
	return cs_fault_set(fault, CS_E_SIGNER_DOWN, why->path, "%s: %s", cs_err_name(err),
		why->detail[0] != '\0' ? why->detail : cs_err_text(err));
}

static enum cs_err need_token(struct cs_service *s, struct cs_fault *fault)
{
	struct cs_fault why = {0};

	return unavailable(cs_service_ready(s, &why), &why, fault);
}

static enum cs_err token_failed(struct cs_service *s, enum cs_err err, struct cs_fault *fault)
{
	struct cs_fault why = {0};

	return unavailable(cs_service_failed(s, err, &why), &why, fault);
}

/* ---- append ---- */

static enum cs_err sign_seals(
	const struct cs_service *s, const struct cs_wire_request *request, json_t *seals)
{
	const struct cs_signer *key = cs_signer_keys_get(s->keys, CS_SIGNER_SEAL);

	for (size_t i = 0; i < request->count; i++) {
		CS_CLEANUP_BYTES struct cs_bytes leaf = {0}, jws = {0};
		json_t *seal = NULL;
		enum cs_err err = CS_OK;
		if (request->entries[i].form == CS_SEAL_JWS) {
			err = cs_canonical_print(request->entries[i].statement, &leaf);
			if (err == CS_OK)
				err = cs_jws_sign(key, leaf.data, leaf.len, &jws);
			if (err != CS_OK)
				return err;
			seal = json_stringn((const char *)jws.data, jws.len);
		} else {
			seal = json_null();
		}
		if (json_array_append_new(seals, seal) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

static bool wants_checkpoint(const struct cs_wire_request *request)
{
	for (size_t i = 0; i < request->count; i++)
		if (request->entries[i].form == CS_SEAL_TLOG)
			return true;
	return false;
}

/* One checkpoint covers every statement of the batch. */
static enum cs_err sign_checkpoint(const struct cs_service *s, json_t **ret_note)
{
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	const struct cs_frontier *tree = cs_signer_frontier_tree(s->frontier);
	struct cs_checkpoint checkpoint = {.size = tree->size};

	if (snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", s->origin) >=
		(int)sizeof checkpoint.origin)
		return CS_E_LOG_ORIGIN;
	cs_merkle_root(tree, checkpoint.root);
	enum cs_err err = cs_checkpoint_print(&checkpoint, &note);
	if (err == CS_OK)
		err = cs_note_sign(
			&note, s->origin, cs_signer_keys_get(s->keys, CS_SIGNER_CHECKPOINT));
	if (err != CS_OK)
		return err;
	*ret_note = json_stringn((const char *)note.data, note.len);
	return *ret_note != NULL ? CS_OK : CS_E_NOMEM;
}

static enum cs_err sign_batch(
	const struct cs_service *s, const struct cs_wire_request *request, json_t **ret_document)
{
	json_t *seals = json_array();
	json_t *note = NULL;
	enum cs_err err = seals == NULL ? CS_E_NOMEM : sign_seals(s, request, seals);

	if (err == CS_OK && wants_checkpoint(request))
		err = sign_checkpoint(s, &note);
	else if (err == CS_OK)
		note = json_null();
	if (err != CS_OK) {
		json_decref(seals);
		return err;
	}
	*ret_document = json_pack("{so so}", "seals", seals, "checkpoint", note);
	return *ret_document != NULL ? CS_OK : CS_E_NOMEM;
}

/*
 * Judge, make durable, sign, in this order. After the frontier is durable a failing token loses
 * nothing: the broker sends the same batch again and gets its signatures then.
 */
static enum cs_err do_append(struct cs_service *s, const struct cs_wire_request *request,
	json_t **ret_document, struct cs_fault *fault)
{
	struct cs_rules_verdict verdict = {0};
	cs_time now = cs_now();

	cs_service_advance(s, now);
	const struct cs_rules_context context = {
		.registry = s->registry,
		.trust = s->trust,
		.policy = s->policy,
		.origin = s->origin,
		.frontier = s->frontier,
		.now = now,
	};
	enum cs_err err = cs_rules_judge(&context, request, &verdict, fault);

	/* A token that is known to be away takes no leaf that it could not sign for. */
	if (err == CS_OK)
		err = need_token(s, fault);
	if (err == CS_OK && !verdict.again)
		err = cs_signer_frontier_append(
			s->frontier, verdict.statements, verdict.consumed, context.now, fault);
	cs_rules_verdict_free(&verdict);
	if (err != CS_OK)
		return err;
	err = sign_batch(s, request, ret_document);
	return err == CS_OK ? CS_OK : token_failed(s, err, fault);
}

/* ---- certify ---- */

static enum cs_err make_certificate(
	const struct cs_service *s, const json_t *jwk, json_t **ret_document)
{
	const json_t *appliance = cs_trust_appliance(s->trust, s->origin);
	const char *entity = cs_json_text(appliance, "id");
	cs_time now = cs_now();
	char from[CS_TIME_TEXT], until[CS_TIME_TEXT], ulid[CS_ULID_TEXT], id[64], kid[64];
	uint8_t random[10];

	randombytes_buf(random, sizeof random);
	cs_ulid_print(now, random, ulid);
	snprintf(id, sizeof id, "kye:engine-certificate:%s", ulid);
	snprintf(kid, sizeof kid, "kye:key:engine.%s", ulid);
	json_t *certificate = json_pack("{ss ss ss ss ss ss sO ss ss ss}", "schema",
		"countersign.engine_certificate.v1", "id", id, "appliance", entity, "origin",
		s->origin, "entity", entity, "kid", kid, "jwk", jwk, "usage",
		cs_usage_name(CS_USAGE_ENGINE), "not_before", cs_time_print(now, from), "not_after",
		cs_time_print(cs_time_add_seconds(now, CS_CERTIFICATE_SECONDS), until));
	if (certificate == NULL)
		return CS_E_NOMEM;
	enum cs_err err =
		cs_inline_sign(certificate, cs_signer_keys_get(s->keys, CS_SIGNER_DOCUMENT), false);
	if (err == CS_OK)
		err = cs_schema_check(
			s->registry, "countersign.engine_certificate.v1", certificate, NULL);
	if (err != CS_OK) {
		json_decref(certificate);
		return err;
	}
	*ret_document = certificate;
	return CS_OK;
}

/*
 * Certifies a session key in the one form there is, with times of our own; only an Ed25519 key,
 * and only its own three members.
 */
static enum cs_err do_certify(struct cs_service *s, const struct cs_wire_request *request,
	json_t **ret_document, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *plain = NULL;
	struct cs_public_key key;
	enum cs_err err = cs_public_key_from_jwk(request->jwk, &key);

	if (err == CS_OK && key.alg != CS_ALG_EDDSA)
		err = CS_E_ALGORITHM;
	if (err == CS_OK)
		err = cs_public_key_to_jwk(&key, &plain);
	if (err == CS_OK && !cs_json_same(plain, request->jwk))
		err = CS_E_KEY;
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/jwk",
			"an engine session key is an Ed25519 JWK of kty, crv and x alone");
	cs_service_advance(s, cs_now());
	err = need_token(s, fault);
	if (err != CS_OK)
		return err;
	err = make_certificate(s, plain, ret_document);
	return err == CS_OK ? CS_OK : token_failed(s, err, fault);
}

/* ---- the table ---- */

static const struct {
	enum cs_wire_operation operation;
	const char *name;
	enum cs_err (*run)(struct cs_service *service, const struct cs_wire_request *request,
		json_t **ret_document, struct cs_fault *fault);
} operations[] = {
	{CS_WIRE_HELLO, "hello", do_hello},
	{CS_WIRE_APPEND, "append", do_append},
	{CS_WIRE_CERTIFY, "certify", do_certify},
	{CS_WIRE_HEALTH, "health", do_health},
};

static enum cs_err dispatch(struct cs_service *s, const struct cs_wire_request *request,
	json_t **ret_document, struct cs_fault *fault)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		if (operations[i].operation != request->operation)
			continue;
		enum cs_err err = operations[i].run(s, request, ret_document, fault);
		if (err != CS_OK)
			cs_log_fault(CS_LOG_WARNING, operations[i].name, err, fault);
		return err;
	}
	return cs_fault_set(fault, CS_E_OPERATION, "", "operation %d", (int)request->operation);
}

enum cs_err cs_operations_answer(struct cs_service *service, const struct cs_bytes *payload,
	struct cs_bytes *ret_frame, bool *ret_close)
{
	CS_CLEANUP_JSON json_t *document = NULL;
	struct cs_wire_request request = {0};
	struct cs_fault fault = {0};
	enum cs_err err = cs_wire_request_parse(payload->data, payload->len, &request, &fault);

	*ret_close = err != CS_OK;
	if (err == CS_OK)
		err = dispatch(service, &request, &document, &fault);
	else
		cs_log_fault(CS_LOG_WARNING, "frame", err, &fault);
	cs_wire_request_free(&request);
	return err == CS_OK ? cs_wire_done(document, ret_frame)
			    : cs_wire_refused(err, &fault, ret_frame);
}
