#include "file.h"
#include "pinned.h"
#include "provision.h"
#include "report.h"

/* Unsigned: two people sign the file afterwards, as they sign a trust set. */
enum cs_err cs_provision_publish(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *jwks = NULL;
	CS_CLEANUP_JSON json_t *doc = NULL;
	struct cs_schema_registry *registry = NULL;
	struct cs_trust *trust = NULL;
	const char *out = cs_call_value(call, "out");
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_schema_registry_embedded(&registry);

	if (err == CS_OK)
		err = cs_pinned_trust(registry, cs_call_value(call, "trust-directory"),
			cs_call_value(call, "genesis"), CS_TIME_MAX, &trust, fault);
	if (err == CS_OK)
		err = cs_trust_publish(trust, &jwks);
	if (err == CS_OK)
		err = cs_schema_check(registry, "countersign.published_keys.v1", jwks, fault);
	if (err == CS_OK)
		err = cs_address_of(jwks, address);
	if (err == CS_OK)
		err = cs_file_write_json(out, jwks, 0644, fault);
	cs_trust_free(trust);
	cs_schema_registry_free(registry);
	if (err != CS_OK)
		return err;
	size_t keys = json_array_size(json_object_get(jwks, "keys"));
	doc = json_pack("{s:s, s:I}", "address", address, "keys", (json_int_t)keys);
	if (doc == NULL)
		return CS_E_NOMEM;
	cs_bytes_addf(&text, "keys     %zu\naddress  %s\n", keys, address);
	return call->json ? cs_report_json(doc, fault) : cs_report_write(&text, fault);
}
