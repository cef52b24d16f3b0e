#include "pack_room.h"
#include "oversight.h"

/* Bounds of what is not measured here, rounded up from real packs. */
#define FRAME_BYTES (24 * 1024) /* admissibility papers, certificate, replay seal, seal */
#define NODE_BYTES 768		/* of the decision map, with its edges */
#define FIXED_NODES 24		/* engines, obligations, documents that are always there */
#define SLOT_NODES 4		/* basis, brief, snapshot, decision */
/* ids, addresses and signatures of these, and the state's extract */
#define SLOT_BYTES (4 * 1024)
#define DECISION_BYTES (4 * 1024) /* what an ordinary decision takes */
/* besides the decision: in its extract, the gate's result and the constraints */
#define RESTRICTION_COPIES 3

static enum cs_err measure(const json_t *doc, size_t *sum)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	if (doc == NULL)
		return CS_OK;
	enum cs_err err = cs_canonical_print(doc, &text);
	if (err == CS_OK)
		*sum += text.len;
	return err;
}

struct measured {
	size_t core, policy, state, gate, map, grants, signals, action, class;
	size_t nodes;
};

static enum cs_err measure_all(const struct cs_rulebook *book, const json_t *core,
	const json_t *state, const json_t *gate, const json_t *map,
	const struct cs_oversight *oversight, struct measured *m)
{
	const json_t *grants[] = {json_object_get(state, "grants"),
		json_object_get(state, "purposes"), json_object_get(state, "delegations")};
	const struct {
		const json_t *doc;
		size_t *sum;
	} rows[] = {
		{core, &m->core},
		{cs_policy_document(book->policy), &m->policy},
		{state, &m->state},
		{gate, &m->gate},
		{map, &m->map},
		{grants[0], &m->grants},
		{grants[1], &m->grants},
		{grants[2], &m->grants},
		{cs_json_at(core, "provenance/signals"), &m->signals},
		{json_object_get(core, "proposed_action"), &m->action},
		{oversight->action_class, &m->class},
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && err == CS_OK; i++)
		err = measure(rows[i].doc, rows[i].sum);
	m->nodes = FIXED_NODES;
	for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++)
		m->nodes += json_array_size(grants[i]);
	return err;
}

/*
 * What an approver is shown repeats the core, each value with its name. The cap on snapshots holds
 * for it as well.
 */
static size_t ordinary_papers(const struct cs_pack_room *room)
{
	size_t snapshot = 2 * room->core + 8 * 1024;

	if (snapshot > CS_SNAPSHOT_MAX)
		snapshot = CS_SNAPSHOT_MAX;
	return snapshot + DECISION_BYTES;
}

enum cs_err cs_pack_room(const struct cs_rulebook *book, const json_t *core, const json_t *state,
	const json_t *gate, const json_t *map, struct cs_pack_room *ret_room,
	struct cs_fault *fault)
{
	struct cs_pack_room room = {0};
	struct cs_oversight oversight;
	struct measured m = {0};
	cs_time at = 0;

	enum cs_err err = cs_time_parse(cs_json_text(state, "at"), &at, NULL);
	if (err != CS_OK)
		return err;
	/* A class that the policy does not know asks nobody. */
	if (cs_oversight(core, book->policy, json_object_get(state, "facts"), at, &oversight,
		    NULL) != CS_OK)
		oversight = (struct cs_oversight){0};
	err = measure_all(book, core, state, gate, map, &oversight, &m);
	if (err != CS_OK)
		return err;
	room.core = m.core;
	room.slots = map != NULL ? oversight.slot_count : 0;
	/* Grants stand among the inputs too, signals in the pack and in its replay seal. */
	room.fixed = m.core + m.policy + m.state + m.gate + m.map + m.grants + 2 * m.signals +
		     m.nodes * NODE_BYTES + FRAME_BYTES;
	room.papers = m.gate + m.state + m.map + m.action + m.class + SLOT_NODES * NODE_BYTES +
		      SLOT_BYTES;
	size_t needed = room.fixed + room.slots * (room.papers + ordinary_papers(&room));
	if (needed > CS_PACK_MAX)
		return cs_fault_set(fault, CS_E_TOO_LARGE, "/request",
			"its evidence could take %zu bytes, a pack holds %d: core %zu, policy %zu, "
			"state %zu, gate %zu, signals %zu, %zu approvals of %zu",
			needed, CS_PACK_MAX, m.core, m.policy, m.state, m.gate, m.signals,
			room.slots, room.papers + ordinary_papers(&room));
	if (room.slots > 0)
		room.slot = (CS_PACK_MAX - room.fixed) / room.slots - room.papers;
	*ret_room = room;
	return CS_OK;
}

enum cs_err cs_pack_room_check(const struct cs_pack_room *room, const json_t *snapshot,
	const json_t *decision, struct cs_fault *fault)
{
	size_t shown = 0, decided = 0, restricted = 0;

	enum cs_err err = measure(snapshot, &shown);
	if (err == CS_OK)
		err = measure(decision, &decided);
	if (err == CS_OK)
		err = measure(json_object_get(decision, "restrictions"), &restricted);
	if (err == CS_OK && shown + decided + RESTRICTION_COPIES * restricted > room->slot)
		err = cs_fault_set(fault, CS_E_TOO_LARGE, "/snapshot",
			"snapshot (%zu bytes) and decision (%zu bytes) leave no room for the other "
			"approvals in the pack",
			shown, decided);
	return err;
}
