#include "pack.h"

#include <stdio.h>
#include <string.h>

/*
 * Which gate engine reads which input. An input feeds the engines of its row; the engine
 * certificate and the papers of the approvals feed the decision.
 */
static const struct {
	const char *input;
	const char *engines; /* separated by blanks */
} readers[] = {
	{"core", "entity authority purpose scope state rules decision"},
	{"purpose_request", "purpose"},
	{"proposed_action", "authority rules"},
	{"policy", "authority scope rules decision"},
	{"state", "entity authority purpose scope state rules decision"},
	{"grant", "authority scope"},
	{"purpose_grant", "purpose scope"},
	{"delegation", "authority state"},
	{"consequence_map", "decision"},
	{"brief_basis", "decision"},
	{"brief", "decision"},
	{"snapshot", "decision"},
	{"approval", "decision"},
	{"constraints", "decision"},
	{"engine_certificate", "decision"},
};

static const char *const engines[] = {
	"entity", "authority", "purpose", "scope", "state", "rules", "decision"};

struct map {
	json_t *nodes;
	json_t *edges;
	enum cs_err err; /* the first failure; later steps do nothing */
};

static void add_node(struct map *m, const char *id, const char *type, const char *label,
	const char *ref, const char *hash)
{
	if (m->err != CS_OK)
		return;
	json_t *node = json_pack("{ss ss ss ss ss}", "id", id, "type", type, "label", label,
		"payload_hash", hash, "signature", "");
	/* Not by "s*": it leaves the member out also when memory runs out. */
	if (node == NULL || json_array_append_new(m->nodes, node) != 0 ||
		(ref != NULL && json_object_set_new(node, "payload_ref", json_string(ref)) != 0))
		m->err = CS_E_NOMEM;
}

static void add_edge(struct map *m, const char *from, const char *to, const char *kind)
{
	if (m->err != CS_OK)
		return;
	json_t *edge = json_pack("{ss ss ss}", "from", from, "to", to, "kind", kind);
	if (edge == NULL || json_array_append_new(m->edges, edge) != 0)
		m->err = CS_E_NOMEM;
}

static void feed(struct map *m, const char *node, const char *input)
{
	for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
		if (strcmp(readers[i].input, input) != 0)
			continue;
		for (size_t e = 0; e < sizeof engines / sizeof engines[0]; e++) {
			char rule[32];
			const char *found = strstr(readers[i].engines, engines[e]);
			if (found == NULL)
				continue;
			snprintf(rule, sizeof rule, "rule.%s", engines[e]);
			add_edge(m, node, rule, "feeds");
		}
	}
}

/*
 * One input node. Its payload is the document; what it is called by others is its id, or its
 * address when it has none.
 */
static void add_input(struct map *m, const char *input, size_t number, const json_t *document)
{
	static const char *const id_members[] = {"id", "proposed_action_id", "delegation_id"};
	char node[64], hash[CS_ADDRESS_TEXT];
	const char *ref = NULL;

	if (m->err != CS_OK || document == NULL || json_is_null(document))
		return;
	m->err = cs_address_of(document, hash);
	if (m->err != CS_OK)
		return;
	for (size_t i = 0; ref == NULL && i < sizeof id_members / sizeof id_members[0]; i++)
		ref = cs_json_text(document, id_members[i]);
	snprintf(node, sizeof node, number == 0 ? "in.%s" : "in.%s.%zu", input, number);
	add_node(m, node, "input", input, ref != NULL ? ref : hash, hash);
	feed(m, node, input);
}

static void add_list(struct map *m, const char *input, const json_t *documents)
{
	const json_t *document;
	size_t i;

	json_array_foreach (documents, i, document) {
		add_input(m, input, i + 1, document);
	}
}

static void add_inputs(struct map *m, const json_t *inputs, const json_t *state)
{
	const json_t *core = json_object_get(inputs, "core");
	const json_t *approval;
	size_t i;

	add_input(m, "core", 0, core);
	add_input(m, "purpose_request", 0, json_object_get(core, "purpose_request"));
	add_input(m, "proposed_action", 0, json_object_get(core, "proposed_action"));
	add_input(m, "policy", 0, json_object_get(inputs, "policy"));
	add_input(m, "state", 0, state);
	add_list(m, "grant", json_object_get(inputs, "grants"));
	add_list(m, "purpose_grant", json_object_get(inputs, "purposes"));
	add_list(m, "delegation", json_object_get(inputs, "delegations"));
	add_input(m, "consequence_map", 0, json_object_get(inputs, "consequence_map"));
	json_array_foreach (json_object_get(inputs, "approvals"), i, approval) {
		add_input(m, "brief_basis", i + 1, json_object_get(approval, "basis"));
		add_input(m, "brief", i + 1, json_object_get(approval, "brief"));
		add_input(m, "snapshot", i + 1, json_object_get(approval, "snapshot"));
		add_input(m, "approval", i + 1, json_object_get(approval, "decision"));
	}
	add_input(m, "constraints", 0, json_object_get(inputs, "constraints"));
	add_input(m, "engine_certificate", 0, json_object_get(inputs, "engine_certificate"));
}

/* A rule node's payload is what that engine found. */
static void add_engine(struct map *m, const char *engine, const json_t *decision)
{
	CS_CLEANUP_JSON json_t *payload = json_pack("{ss s[]}", "engine", engine, "checks");
	const json_t *check;
	char node[32], hash[CS_ADDRESS_TEXT];
	size_t i;

	if (m->err != CS_OK)
		return;
	if (payload == NULL) {
		m->err = CS_E_NOMEM;
		return;
	}
	json_array_foreach (json_object_get(decision, "checks"), i, check) {
		const char *of = cs_json_text(check, "engine");
		if (of != NULL && strcmp(of, engine) == 0 &&
			json_array_append(json_object_get(payload, "checks"),
				json_array_get(json_object_get(decision, "checks"), i)) != 0)
			m->err = CS_E_NOMEM;
	}
	if (m->err == CS_OK)
		m->err = cs_address_of(payload, hash);
	snprintf(node, sizeof node, "rule.%s", engine);
	add_node(m, node, "rule", engine, NULL, hash);
	add_edge(m, node, "out.decision", "produces");
}

/* A rule node whose payload is a document of the pack. */
static void add_rule_document(struct map *m, const char *name, const char *ref,
	const json_t *document, const char *engine)
{
	char node[64], rule[32], hash[CS_ADDRESS_TEXT];

	if (m->err == CS_OK)
		m->err = cs_address_of(document, hash);
	snprintf(node, sizeof node, "rule.%s", name);
	snprintf(rule, sizeof rule, "rule.%s", engine);
	add_node(m, node, "rule", name, ref, hash);
	add_edge(m, rule, node, "triggers");
	add_edge(m, node, "out.decision", "produces");
}

/*
 * An obligation's payload names it and its action; it does not hash the pack that it may ask for.
 */
static void add_obligations(struct map *m, const json_t *decision)
{
	const json_t *obligation;
	size_t i;

	json_array_foreach (json_object_get(decision, "obligations"), i, obligation) {
		const char *name = json_string_value(obligation);
		CS_CLEANUP_JSON json_t *payload = NULL;
		char node[96], hash[CS_ADDRESS_TEXT];
		if (m->err == CS_OK && (name == NULL || cs_json_text(decision, "action") == NULL))
			m->err = CS_E_PACK;
		if (m->err == CS_OK)
			payload = json_pack("{ss ss}", "obligation", name, "action",
				cs_json_text(decision, "action"));
		if (m->err == CS_OK)
			m->err = payload == NULL ? CS_E_NOMEM : cs_address_of(payload, hash);
		if (m->err != CS_OK)
			return;
		snprintf(node, sizeof node, "obl.%s", name);
		add_node(m, node, "obligation", name, NULL, hash);
		add_edge(m, "rule.decision", node, "triggers");
		add_edge(m, node, "out.decision", "satisfies");
	}
}

static void add_output(struct map *m, const json_t *decision)
{
	const char *outcome = cs_json_text(decision, "outcome"), *id = cs_json_text(decision, "id");
	char hash[CS_ADDRESS_TEXT];

	if (m->err == CS_OK)
		m->err = outcome == NULL || id == NULL ? CS_E_PACK : cs_address_of(decision, hash);
	add_node(m, "out.decision", "output", outcome, id, hash);
}

enum cs_err cs_map_compose(const json_t *inputs, const json_t *state, const char *id,
	cs_time created_at, json_t **ret_map)
{
	const json_t *decision = json_object_get(inputs, "decision");
	struct map m = {.nodes = json_array(), .edges = json_array()};
	char created[CS_TIME_TEXT];

	if (m.nodes == NULL || m.edges == NULL)
		m.err = CS_E_NOMEM;
	add_inputs(&m, inputs, state);
	for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
		add_engine(&m, engines[i], decision);
	add_rule_document(&m, "purpose_admissibility",
		cs_json_text_at(inputs, "purpose_admissibility/request_id"),
		json_object_get(inputs, "purpose_admissibility"), "purpose");
	add_rule_document(&m, "admissibility_decision",
		cs_json_text_at(inputs, "admissibility_decision/admissibility_decision_id"),
		json_object_get(inputs, "admissibility_decision"), "decision");
	add_obligations(&m, decision);
	add_output(&m, decision);
	if (m.err != CS_OK) {
		json_decref(m.nodes);
		json_decref(m.edges);
		return m.err;
	}
	*ret_map = json_pack("{ss ss si ss so so ss ss}", "schema", "kye.evidence.decision_map.v1",
		"id", id, "version", 1, "decision_id", cs_json_text(decision, "id"), "nodes",
		m.nodes, "edges", m.edges, "output_node_id", "out.decision", "created_at",
		cs_time_print(created_at, created));
	return *ret_map != NULL ? CS_OK : CS_E_NOMEM;
}

/* ---- signatures: one over the list of all nodes, repeated in each ---- */

static enum cs_err node_list(const json_t *map, json_t **ret_list)
{
	json_t *list = json_pack("{ss ss? s[]}", "schema", "countersign.node_list.v1",
		"decision_map", cs_json_text(map, "id"), "nodes");
	const json_t *node;
	size_t i;

	if (list == NULL)
		return CS_E_NOMEM;
	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		json_t *entry = json_pack("{ss? ss? ss?}", "id", cs_json_text(node, "id"), "type",
			cs_json_text(node, "type"), "payload_hash",
			cs_json_text(node, "payload_hash"));
		if (entry == NULL ||
			json_array_append_new(json_object_get(list, "nodes"), entry) != 0) {
			json_decref(list);
			return CS_E_NOMEM;
		}
	}
	*ret_list = list;
	return CS_OK;
}

enum cs_err cs_map_sign(json_t *map, const struct cs_signer *signer)
{
	CS_CLEANUP_JSON json_t *list = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = node_list(map, &list);
	json_t *node;
	size_t i;

	if (err == CS_OK)
		err = cs_sig_string_sign(list, signer, &text);
	if (err != CS_OK)
		return err;
	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		if (json_object_set_new(node, "signature",
			    json_stringn((const char *)text.data, text.len)) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

enum cs_err cs_map_verify(
	const json_t *map, const char *kid, const struct cs_public_key *key, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *list = NULL;
	const json_t *node;
	const char *first = cs_json_text_at(map, "nodes/0/signature");
	enum cs_err err = node_list(map, &list);
	size_t i;

	if (err != CS_OK)
		return err;
	if (first == NULL)
		return cs_fault_set(
			fault, CS_E_SIGNATURE_FORM, "/nodes/0/signature", "no signature");
	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		const char *signature = cs_json_text(node, "signature");
		char path[64];
		snprintf(path, sizeof path, "/nodes/%zu/signature", i);
		if (signature == NULL || strcmp(signature, first) != 0)
			return cs_fault_set(fault, CS_E_SIGNATURE, path,
				"not the signature that the first node carries");
	}
	err = cs_sig_string_verify(list, first, kid, key);
	return err == CS_OK
		       ? CS_OK
		       : cs_fault_set(fault, err, "/nodes/0/signature", "%s", cs_err_text(err));
}
