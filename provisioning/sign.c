#include "address.h"
#include "file.h"
#include "jose.h"
#include "provision.h"
#include "report.h"
#include "signable.h"
#include "token_access.h"

#include <countersign/limits.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/*
 * A grant's signature holds while it is revoked later: the two members that say so are null in
 * what is signed.
 */
static enum cs_err sign_grant(json_t *grant, const struct cs_signer *signer)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err;

	if (json_object_set_new(grant, "revoked_at", json_null()) != 0 ||
		json_object_set_new(grant, "revoked_reason", json_null()) != 0)
		return CS_E_NOMEM;
	err = cs_sig_string_sign(grant, signer, &text);
	if (err != CS_OK)
		return err;
	err = cs_sig_string_verify(grant, (const char *)text.data, signer->kid, &signer->key);
	if (err != CS_OK)
		return err;
	return json_object_set_new(grant, "signature", json_string((const char *)text.data)) == 0
		       ? CS_OK
		       : CS_E_NOMEM;
}

static enum cs_err sign_inline(json_t *document, const struct cs_signer *signer)
{
	const json_t *signatures;
	enum cs_err err = cs_inline_sign(document, signer, true);

	if (err != CS_OK)
		return err;
	signatures = json_object_get(document, "signatures");
	return cs_inline_verify(document,
		json_array_get(signatures, json_array_size(signatures) - 1), signer->kid,
		&signer->key);
}

static enum cs_err sign_with_token(struct cs_token_access *access, const struct cs_signable *shape,
	const char *kid, json_t *document, struct cs_fault *fault)
{
	struct cs_token_signer signer = {0};
	enum cs_err err = cs_token_signer_set(
		&signer, access->key, kid, &access->public_key, access->pin, fault);

	if (err != CS_OK)
		return err;
	err = shape->inside ? sign_grant(document, &signer.signer)
			    : sign_inline(document, &signer.signer);
	return err == CS_OK
		       ? CS_OK
		       : cs_fault_set(fault, err, signer.fault.path, "%s", signer.fault.detail);
}

/* What the person is told before the PIN is asked for. */
static enum cs_err describe(const struct cs_signable *shape, const json_t *document,
	struct cs_bytes *what, struct cs_fault *fault)
{
	char address[CS_ADDRESS_TEXT];
	const char *id = cs_json_text(document, "id");
	enum cs_err err = cs_address_of(document, address);

	if (err != CS_OK)
		return cs_fault_set(fault, err, "", "the document has no address");
	return cs_bytes_addf(what, "You sign the %s %s, version %" PRId64 ", address %s.",
		shape->schema, id != NULL ? id : "",
		cs_json_integer(document, "version",
			cs_json_integer(json_object_get(document, "countersign"), "version", 0)),
		address);
}

static enum cs_err write_back(const char *path, const json_t *document, struct cs_fault *fault)
{
	struct stat st;

	return cs_file_write_json(
		path, document, stat(path, &st) == 0 ? st.st_mode & 0777 : 0644, fault);
}

static enum cs_err print_result(const struct cs_call *call, const struct cs_signable *shape,
	const json_t *document, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	char address[CS_ADDRESS_TEXT];
	size_t count = shape->inside ? 1 : json_array_size(json_object_get(document, "signatures"));
	enum cs_err err = cs_address_of(document, address);

	if (err != CS_OK)
		return err;
	if (call->json) {
		CS_CLEANUP_JSON json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:I}", "schema",
			shape->schema, "address", address, "person", cs_call_value(call, "as"),
			"kid", cs_call_value(call, "kid"), "signatures", (json_int_t)count);
		return doc == NULL ? CS_E_NOMEM : cs_report_json(doc, fault);
	}
	cs_report_field(&text, "signed", 9, shape->schema);
	cs_report_field(&text, "address", 9, address);
	cs_report_field(&text, "by", 9, cs_call_value(call, "as"));
	if (!shape->inside)
		cs_bytes_addf(&text, "so far   %zu of 2 signatures\n", count);
	return cs_report_write(&text, fault);
}

enum cs_err cs_provision_sign(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_ACCESS struct cs_token_access access = {0};
	CS_CLEANUP_JSON json_t *document = NULL;
	CS_CLEANUP_JSON json_t *previous = NULL;
	CS_CLEANUP_BYTES struct cs_bytes what = {0};
	const char *path = cs_call_value(call, "document");
	const char *previous_path = cs_call_value(call, "previous");
	const struct cs_signable *shape = NULL;
	struct cs_signing signing = {
		.person = cs_call_value(call, "as"), .kid = cs_call_value(call, "kid")};
	enum cs_err err = CS_OK;

	if (!cs_id_ok(signing.person, "person"))
		return cs_fault_set(fault, CS_E_ID, "--as", "not a kye:person: identifier");
	if (!cs_id_ok(signing.kid, "key"))
		return cs_fault_set(fault, CS_E_ID, "--kid", "not a kye:key: identifier");
	err = cs_file_read_json(path, CS_TRUST_SET_MAX, &document, fault);
	if (err == CS_OK && previous_path != NULL)
		err = cs_file_read_json(previous_path, CS_TRUST_SET_MAX, &previous, fault);
	if (err != CS_OK)
		return err;
	shape = cs_signable_find(document);
	if (shape == NULL)
		return cs_fault_set(
			fault, CS_E_KEY_USAGE, path, "not a kind of document that is signed here");
	signing.document = document;
	signing.previous = previous;
	err = cs_schema_registry_embedded(&signing.registry);
	if (err == CS_OK)
		err = shape->may_sign(&signing, fault);
	if (err == CS_OK)
		err = describe(shape, document, &what, fault);
	if (err == CS_OK)
		err = cs_token_access_open_key(call, (const char *)what.data, &access, fault);
	signing.key = &access.public_key;
	if (err == CS_OK)
		err = shape->may_sign(&signing, fault);
	if (err == CS_OK)
		err = sign_with_token(&access, shape, signing.kid, document, fault);
	if (err == CS_OK)
		err = cs_schema_check(signing.registry, shape->schema, document, fault);
	cs_schema_registry_free(signing.registry);
	if (err == CS_OK)
		err = write_back(path, document, fault);
	return err == CS_OK ? print_result(call, shape, document, fault) : err;
}
