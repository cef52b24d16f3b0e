#include "provision.h"
#include "report.h"
#include "token_access.h"

#include <stdlib.h>

static enum cs_err add_key(
	const struct cs_token_key_entry *entry, json_t *list, struct cs_bytes *text)
{
	CS_CLEANUP_JSON json_t *jwk = NULL;
	char id[2 * CS_KEY_ID_MAX + 1];
	const char *class = entry->class == CKO_PRIVATE_KEY ? "private" : "public";

	if (entry->usable) {
		enum cs_err err = cs_public_key_to_jwk(&entry->key, &jwk);
		if (err != CS_OK)
			return err;
	}
	cs_hex_encode(entry->id, entry->id_len, id);
	cs_report_field(text, class, 10, entry->label);
	cs_report_field(text, "  id", 10, id);
	cs_report_field(text, "  kind", 10,
		entry->usable ? cs_alg_name(entry->key.alg) : "another kind of key");
	json_t *made = json_pack("{s:s, s:o, s:s, s:O?}", "class", class, "label",
		cs_report_text(entry->label), "id", id, "jwk", jwk);
	return made != NULL && json_array_append_new(list, made) == 0 ? CS_OK : CS_E_NOMEM;
}

enum cs_err cs_provision_key_list(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_ACCESS struct cs_token_access access = {0};
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:[]}", "keys");
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_token_key_entry *entries = NULL;
	size_t count = 0;
	enum cs_err err =
		doc == NULL ? CS_E_NOMEM : cs_token_access_open(call, NULL, &access, fault);

	if (err == CS_OK)
		err = cs_token_key_list(access.token, &entries, &count, fault);
	for (size_t i = 0; err == CS_OK && i < count; i++)
		err = add_key(&entries[i], json_object_get(doc, "keys"), &text);
	free(entries);
	if (err != CS_OK)
		return err;
	if (!call->json && count == 0)
		cs_bytes_add_text(&text, "no key\n");
	return call->json ? cs_report_json(doc, fault) : cs_report_write(&text, fault);
}
