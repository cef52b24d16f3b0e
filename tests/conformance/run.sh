#!/bin/bash
# Runs the project against published test data and says how many cases ran. A folder that is missing is a visible SKIP.
# Usage: tests/conformance/run.sh VECTORS KYE BUILD
set -u
vectors=$1 kye=$2 build=$3
status=0

for program in "$build"/tests/conformance/test_* "$build"/tests/token/test_uri_vectors; do
	[ -x "$program" ] || continue
	case ${program##*/} in
	test_kye | test_artefacts) folder=$kye ;;
	*) folder=$vectors ;;
	esac
	output=$("$program" "$folder" 2>&1)
	case $? in
	0) grep -E '^conformance' <<<"$output" ;;
	77) grep -m1 SKIP <<<"$output" ;;
	*)
		status=1
		echo "FAIL $program $folder"
		tail -n 40 <<<"$output"
		;;
	esac
done

# The command's own contract, on the three published signed artefacts.
if [ -d "$kye/signed" ]; then
	count=0
	for artefact in "$kye"/signed/*.json; do
		[ "${artefact##*/}" = self-audit-jwks.json ] && continue
		count=$((count + 1))
		"$build/bin/countersign" verify --jwks "$kye/signed/self-audit-jwks.json" "$artefact" >/dev/null || {
			echo "FAIL countersign verify $artefact"
			status=1
		}
	done
	echo "conformance countersign verify: $count published artefacts"
fi
exit $status
