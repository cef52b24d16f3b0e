#include "approval.h"
#include "address.h"
#include "gate/checks.h"

enum cs_err cs_snapshot_compose(const json_t *basis, const json_t *brief, const json_t *facts_shown,
	const json_t *questions, const char *captured_by, cs_time captured_at,
	json_t **ret_snapshot)
{
	CS_CLEANUP_JSON json_t *snapshot = NULL;
	char at[CS_TIME_TEXT], address[CS_ADDRESS_TEXT], hash[65];
	enum cs_err err = cs_address_of(basis, address);

	if (err != CS_OK)
		return err;
	snapshot = json_pack("{ss ss si ss ss ss ss so so ss ss}", "schema",
		"kye.approver_knowledge_snapshot.v1", "id",
		cs_shown(cs_json_text(basis, "snapshot")), "version", 1, "approver",
		cs_shown(cs_json_text(basis, "approver")), "approval_brief_id",
		cs_shown(cs_json_text(brief, "id")), "captured_at", cs_time_print(captured_at, at),
		"captured_by", captured_by, "facts_shown",
		facts_shown != NULL ? cs_json_copied(facts_shown) : json_array(), "questions_asked",
		questions != NULL ? cs_json_copied(questions) : json_array(), "action",
		cs_shown(cs_json_text(basis, "action")), "basis", address);
	if (snapshot == NULL)
		return CS_E_NOMEM;
	err = cs_content_hash(snapshot, hash);
	if (err != CS_OK)
		return err;
	if (json_object_set_new(snapshot, "content_hash", json_string(hash)) != 0)
		return CS_E_NOMEM;
	*ret_snapshot = json_incref(snapshot);
	return CS_OK;
}
