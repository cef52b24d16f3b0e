#include "schema_node.h"

#include <string.h>

struct part {
	const char *text;
	size_t len;
	bool present;
};

struct uri {
	struct part scheme, authority, path, query, fragment;
};

static bool scheme_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

/* RFC 3986 appendix B, without the regular expression. */
static struct uri split(const char *text)
{
	struct uri uri = {0};
	size_t n = 0;

	while (scheme_char(text[n], n == 0))
		n++;
	if (n > 0 && text[n] == ':') {
		uri.scheme = (struct part){text, n, true};
		text += n + 1;
	}
	if (text[0] == '/' && text[1] == '/') {
		text += 2;
		n = strcspn(text, "/?#");
		uri.authority = (struct part){text, n, true};
		text += n;
	}
	n = strcspn(text, "?#");
	uri.path = (struct part){text, n, true};
	text += n;
	if (*text == '?') {
		text++;
		n = strcspn(text, "#");
		uri.query = (struct part){text, n, true};
		text += n;
	}
	if (*text == '#')
		uri.fragment = (struct part){text + 1, strlen(text + 1), true};
	return uri;
}

static bool starts(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(text, with, n) == 0;
}

/* Takes the last segment and its slash off what `out` holds from `from` on. */
static void drop_segment(struct cs_bytes *out, size_t from)
{
	while (out->len > from) {
		out->len--;
		if (out->data[out->len] == '/')
			break;
	}
}

/* RFC 3986 section 5.2.4. */
static void add_without_dots(struct cs_bytes *out, const char *in, size_t len)
{
	size_t from = out->len;

	while (len > 0) {
		size_t skip = 0, n;

		if (starts(in, len, "../")) {
			skip = 3;
		} else if (starts(in, len, "./") || starts(in, len, "/./")) {
			skip = 2;
		} else if (len == 2 && starts(in, len, "/.")) {
			/* "/." stands for "/": the slash is what is left to print. */
			(void)cs_bytes_add(out, "/", 1);
			return;
		} else if (starts(in, len, "/../")) {
			drop_segment(out, from);
			skip = 3;
		} else if (len == 3 && starts(in, len, "/..")) {
			drop_segment(out, from);
			(void)cs_bytes_add(out, "/", 1);
			return;
		} else if ((len == 1 && in[0] == '.') || (len == 2 && starts(in, len, ".."))) {
			return;
		}
		if (skip > 0) {
			in += skip;
			len -= skip;
			continue;
		}
		for (n = in[0] == '/'; n < len && in[n] != '/'; n++)
			;
		(void)cs_bytes_add(out, in, n);
		in += n;
		len -= n;
	}
}

static void add_part(
	struct cs_bytes *out, const char *before, const struct part *part, const char *after)
{
	if (!part->present)
		return;
	(void)cs_bytes_add_text(out, before);
	(void)cs_bytes_add(out, part->text, part->len);
	(void)cs_bytes_add_text(out, after);
}

/* RFC 3986 section 5.2.3: the reference's path in place of the base's last segment. */
static void add_merged(struct cs_bytes *out, const struct uri *base, const struct part *path)
{
	CS_CLEANUP_BYTES struct cs_bytes merged = {0};
	size_t n = base->path.len;

	while (n > 0 && base->path.text[n - 1] != '/')
		n--;
	if (base->authority.present && base->path.len == 0)
		(void)cs_bytes_add(&merged, "/", 1);
	else
		(void)cs_bytes_add(&merged, base->path.text, n);
	(void)cs_bytes_add(&merged, path->text, path->len);
	if (cs_bytes_check(&merged) != CS_OK)
		out->failed = true;
	else
		add_without_dots(out, (const char *)merged.data, merged.len);
}

enum cs_err cs_schema_uri_resolve(
	const char *base_text, const char *reference, struct cs_bytes *out)
{
	struct uri base = split(base_text), ref = split(reference);
	size_t from = out->len;

	if (strlen(base_text) > CS_SCHEMA_URI_MAX || strlen(reference) > CS_SCHEMA_URI_MAX)
		return CS_E_SCHEMA_INVALID;
	add_part(out, "", ref.scheme.present ? &ref.scheme : &base.scheme, ":");
	if (ref.scheme.present || ref.authority.present) {
		add_part(out, "//", &ref.authority, "");
		add_without_dots(out, ref.path.text, ref.path.len);
		add_part(out, "?", &ref.query, "");
	} else {
		add_part(out, "//", &base.authority, "");
		if (ref.path.len == 0)
			(void)cs_bytes_add(out, base.path.text, base.path.len);
		else if (ref.path.text[0] == '/')
			add_without_dots(out, ref.path.text, ref.path.len);
		else
			add_merged(out, &base, &ref.path);
		add_part(out, "?", ref.query.present || ref.path.len > 0 ? &ref.query : &base.query,
			"");
	}
	add_part(out, "#", &ref.fragment, "");
	if (out->len - from > CS_SCHEMA_URI_MAX)
		return CS_E_SCHEMA_INVALID;
	return cs_bytes_check(out);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum cs_err cs_schema_uri_decode(const char *fragment, struct cs_bytes *out)
{
	for (; *fragment != '\0'; fragment++) {
		char c = *fragment;

		if (c == '%') {
			int high = hex_value(fragment[1]);
			int low = high < 0 ? -1 : hex_value(fragment[2]);

			if (low < 0 || high + low == 0)
				return CS_E_SCHEMA_INVALID;
			c = (char)(high * 16 + low);
			fragment += 2;
		}
		(void)cs_bytes_add(out, &c, 1);
	}
	return cs_bytes_check(out);
}

enum cs_err cs_schema_pointer_add(struct cs_bytes *out, const char *key)
{
	(void)cs_bytes_add(out, "/", 1);
	for (;;) {
		size_t n = strcspn(key, "~/");

		(void)cs_bytes_add(out, key, n);
		if (key[n] == '\0')
			return cs_bytes_check(out);
		(void)cs_bytes_add_text(out, key[n] == '~' ? "~0" : "~1");
		key += n + 1;
	}
}
