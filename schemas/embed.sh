#!/bin/sh
# Prints a C file that holds every schema named on the command line as bytes, for core/schema_embedded.h.
set -eu
printf '#include "schema_embedded.h"\n'
for file; do
	name=$(basename "$file" .json)
	printf 'static const unsigned char d_%s[] = {' "$(printf %s "$name" | tr -c 'A-Za-z0-9' _)"
	od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	printf '};\n'
done
printf 'const struct cs_embedded_schema cs_embedded_schemas[] = {\n'
for file; do
	name=$(basename "$file" .json)
	id=d_$(printf %s "$name" | tr -c 'A-Za-z0-9' _)
	printf '\t{"%s", %s, sizeof(%s)},\n' "$name" "$id" "$id"
done
printf '\t{0, 0, 0},\n};\n'
