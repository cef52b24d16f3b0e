#include "note_form.h"

#include <string.h>

static bool origin_ok(const char *origin, size_t len)
{
	return len > 0 && len < sizeof((struct cs_checkpoint *)0)->origin &&
	       memchr(origin, '\n', len) == NULL && cs_note_text_ok(origin, len);
}

enum cs_err cs_checkpoint_print(const struct cs_checkpoint *checkpoint, struct cs_bytes *out)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err;

	if (checkpoint->size > CS_TREE_SIZE_MAX ||
		!origin_ok(checkpoint->origin, strlen(checkpoint->origin)))
		return CS_E_CHECKPOINT;
	err = cs_bytes_addf(
		&text, "%s\n%llu\n", checkpoint->origin, (unsigned long long)checkpoint->size);
	if (err == CS_OK)
		err = cs_base64_encode(checkpoint->root, CS_HASH, &text);
	if (err == CS_OK)
		err = cs_bytes_add(&text, "\n", 1);
	return err == CS_OK ? cs_bytes_add(out, text.data, text.len) : err;
}

enum cs_err cs_checkpoint_parse(const char *text, size_t len, struct cs_checkpoint *ret_checkpoint)
{
	struct cs_checkpoint checkpoint = {0};
	const char *end = text + len;
	const char *pos = text;
	const char *line = NULL;
	size_t line_len = 0;

	if (!cs_note_line(&pos, end, &line, &line_len) || !origin_ok(line, line_len))
		return CS_E_CHECKPOINT;
	memcpy(checkpoint.origin, line, line_len);
	if (!cs_note_line(&pos, end, &line, &line_len) ||
		!cs_note_decimal(line, line_len, CS_TREE_SIZE_MAX, &checkpoint.size))
		return CS_E_CHECKPOINT;
	if (!cs_note_line(&pos, end, &line, &line_len))
		return CS_E_CHECKPOINT;
	enum cs_err err = cs_note_hash(line, line_len, checkpoint.root);
	if (err != CS_OK)
		return err == CS_E_NOMEM ? err : CS_E_CHECKPOINT;
	while (cs_note_line(&pos, end, &line, &line_len))
		if (line_len == 0)
			return CS_E_CHECKPOINT;
	if (pos != end || !cs_note_text_ok(text, len))
		return CS_E_CHECKPOINT;
	*ret_checkpoint = checkpoint;
	return CS_OK;
}
