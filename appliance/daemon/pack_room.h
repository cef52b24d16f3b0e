/*
 * Whether the evidence of an action will fit into a pack (CS_PACK_MAX), known when it is proposed
 * and kept to when people decide: nobody signs for what could not be sealed.
 */
#ifndef CS_PACK_ROOM_H
#define CS_PACK_ROOM_H

#include "rulebook.h"

struct cs_pack_room {
	size_t core;   /* canonical bytes */
	size_t fixed;  /* all that a pack holds beside the people's papers, the core too */
	size_t papers; /* of one slot: basis, brief and what map and state say of it */
	size_t slots;
	size_t slot; /* what is left for snapshot and decision of each slot */
};

/*
 * Measures an action by its core, first state and first gate result; `map` is the consequence map,
 * NULL when nobody is asked. CS_E_TOO_LARGE, with the sizes of what is large, when not every slot
 * has room for what an ordinary approval of such a core takes.
 */
CS_MUST_CHECK enum cs_err cs_pack_room(const struct cs_rulebook *book, const json_t *core,
	const json_t *state, const json_t *gate, const json_t *map, struct cs_pack_room *ret_room,
	struct cs_fault *fault);

/* Whether the papers of one approval keep to the slot's room: CS_E_TOO_LARGE. */
CS_MUST_CHECK enum cs_err cs_pack_room_check(const struct cs_pack_room *room,
	const json_t *snapshot, const json_t *decision, struct cs_fault *fault);

#endif
