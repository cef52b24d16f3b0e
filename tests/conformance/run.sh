#!/bin/bash
# Runs the project against published test data and says how many cases ran. A folder that is missing is a visible SKIP for each program that reads it;
# a program that is missing, or that finds nothing in its folder, fails.
# Usage: tests/conformance/run.sh VECTORS KYE BUILD
set -u
vectors=$1 kye=$2 build=$3
status=0

fail() {
	echo "FAIL $*"
	status=1
}

# Every program that has a source, so that one which was not built is noticed.
for source in tests/conformance/test_*.c tests/token/test_uri_vectors.c; do
	program=$build/${source%.c}
	name=${source##*/}
	case $name in
	test_kye.c | test_artefacts.c) folder=$kye ;;
	*) folder=$vectors ;;
	esac
	if [ ! -d "$folder" ]; then
		echo "SKIP ${name%.c}: no folder $folder"
		continue
	elif [ ! -x "$program" ]; then
		fail "$program is not built"
		continue
	fi
	output=$("$program" "$folder" 2>&1)
	case $? in
	0) grep -E '^conformance' <<<"$output" || fail "$program $folder says nothing" ;;
	77) grep -m1 SKIP <<<"$output" || echo "SKIP ${name%.c}: no reason given" ;;
	*)
		fail "$program $folder"
		tail -n 40 <<<"$output"
		;;
	esac
done

# The command's own contract, on the published signed artefacts.
if [ ! -d "$kye" ]; then
	echo "SKIP countersign verify: no folder $kye"
else
	count=0
	for artefact in "$kye"/signed/*.json; do
		[ -e "$artefact" ] || continue
		[ "${artefact##*/}" = self-audit-jwks.json ] && continue
		count=$((count + 1))
		"$build/bin/countersign" verify --jwks "$kye/signed/self-audit-jwks.json" "$artefact" >/dev/null || fail "countersign verify $artefact"
	done
	echo "conformance countersign verify: $count published artefacts"
	[ "$count" -gt 0 ] || fail "no artefact in $kye/signed"
fi
exit $status
