/* kye.purpose.admissibility.v1: the purpose engine's answer in its published form. */
#include "checks.h"

/* The twelve published reasons, without what this gate checks before and after them. */
static json_t *published_reasons(const json_t *checks)
{
	json_t *reasons = json_array();

	for (int check = CS_CHECK_PRINCIPAL_MATCHES; check <= CS_CHECK_DUAL_CONTROL; check++) {
		const json_t *row =
			cs_json_find(checks, "check", cs_check_name((enum cs_check)check));
		json_t *reason = json_pack("{ss sO sO}", "code",
			cs_check_name((enum cs_check)check), "passed",
			json_object_get(row, "passed"), "detail", json_object_get(row, "detail"));

		if (json_array_append_new(reasons, reason) != 0) {
			json_decref(reasons);
			return NULL;
		}
	}
	return reasons;
}

enum cs_err cs_purpose_admissibility(
	const struct cs_gate_input *input, const char *decided_by, json_t **ret_doc)
{
	char at[CS_TIME_TEXT];
	struct cs_gate gate;
	json_t *doc = NULL;
	enum cs_err err = cs_gate_prepare(input, &gate);

	if (err != CS_OK)
		return err;
	gate.next = CS_CHECK_PURPOSE_FOUND;
	cs_gate_purpose(&gate);
	err = cs_gate_recorded(&gate, CS_CHECK_RESTRICTIONS + 1);
	if (err != CS_OK)
		goto out;
	doc = json_pack("{ss ss ss? sb so ss ss}", "schema", "kye.purpose.admissibility.v1",
		"request_id", cs_shown(cs_json_text_at(input->core, "purpose_request/id")),
		"grant_id", cs_json_text(gate.purpose, "id"), "admitted", gate.first_reason == NULL,
		"reasons", published_reasons(gate.list), "decided_at",
		cs_time_print(input->now, at), "decided_by", decided_by);
	if (doc == NULL)
		err = CS_E_NOMEM;
	else
		*ret_doc = doc;
out:
	json_decref(gate.list);
	return err;
}
