/*
 * What a person is shown before they decide, row by row. The same rows become the `facts_shown`
 * of the knowledge snapshot, so that what is signed is what stood on the screen.
 *
 * Every row says in a word whether its text was verified (it follows from hashed bytes and the
 * approver's own trust set and policy) or only claimed (somebody's word). Foreign text never
 * reaches the first columns, where these words stand, and is always shown by cs_text_show.
 */
#ifndef CS_SCREEN_H
#define CS_SCREEN_H

#include "canonical.h"
#include <countersign/limits.h>

/*
 * Facts, canonical bytes: more than that nobody reads. The snapshot that carries them, at most
 * CS_SNAPSHOT_MAX, has room for its other members.
 */
#define CS_SCREEN_MAX (CS_SNAPSHOT_MAX - 2048)

enum cs_standing {
	CS_VERIFIED,
	CS_CLAIMED,
};

struct cs_screen;

CS_MUST_CHECK enum cs_err cs_screen_new(struct cs_screen **ret_screen);
void cs_screen_free(struct cs_screen *screen); /* NULL is fine */
void cs_screen_cleanup(struct cs_screen **screen);
#define CS_CLEANUP_SCREEN __attribute__((cleanup(cs_screen_cleanup)))

/*
 * Begins a section. `kind` is the fact's kind (a word), `source` the object that the section is
 * about. Both borrowed until the end.
 */
void cs_screen_section(
	struct cs_screen *screen, const char *title, const char *kind, const char *source);
/* One row. NULL text appears as "-". Failure stays in the screen until it is rendered. */
void cs_screen_row(
	struct cs_screen *screen, enum cs_standing standing, const char *label, const char *text);
void cs_screen_rowf(struct cs_screen *screen, enum cs_standing standing, const char *label,
	const char *fmt, ...) CS_PRINTF(4, 5);
/*
 * One row whose text is quoted so that every byte can be told: in double quotes, `"` as \", `\`
 * as \\. A line that is too long is broken anywhere and ends in a single backslash; nothing is
 * dropped at the break.
 */
void cs_screen_quoted(
	struct cs_screen *screen, enum cs_standing standing, const char *label, const char *text);

/* Appends the screen, at most 80 columns wide. CS_E_NOMEM, errors of cs_text_show. */
CS_MUST_CHECK enum cs_err cs_screen_render(const struct cs_screen *screen, struct cs_bytes *out);
/*
 * The rows as `facts_shown`: one fact for each standing of a section, longer ones in several. The
 * caller owns the array. CS_E_TOO_LARGE above CS_SCREEN_MAX.
 */
CS_MUST_CHECK enum cs_err cs_screen_facts(
	const struct cs_screen *screen, json_t **ret_facts, struct cs_fault *fault);

#endif
