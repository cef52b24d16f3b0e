#!/bin/bash
# Runs test programs, two at a time, each in a temporary directory of its own as TMPDIR. A program that exits with 77 says SKIP and why;
# any other status but 0 fails the run. Cases that a passing program left out are listed and counted too. Usage: tests/run.sh NAME PROGRAM…
set -u
name=$1
shift
scratch=$(mktemp -d "${TMPDIR:-/tmp}/countersign-$name.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
export TEST_SCRATCH="$scratch"

# As unittest (verbose), cmocka (which names a case twice) and our own programs report them.
skipped_cases() {
	sed -nE -e "s/^(.*) \.\.\. skipped ['\"](.*)['\"]\$/\1: \2/p" -e 's/^SKIP:? //p' "$1"
	sed -nE -e '/^\[  SKIPPED \] [0-9]+ test\(s\)/d' -e 's/^\[  SKIPPED \] //p' "$1" | sort -u
}
export -f skipped_cases

run_one() {
	local log="$TEST_SCRATCH/$1.log" tmp="$TEST_SCRATCH/$1.tmp" status
	mkdir -p "$tmp"
	chmod 755 "$tmp"
	TMPDIR="$tmp" timeout "${TEST_TIMEOUT:-1200}" $2 >"$log" 2>&1
	status=$?
	echo "$status" >"$TEST_SCRATCH/$1.status"
	case $status in
	0)
		echo "PASS $2"
		skipped_cases "$log" | sed "s|^|SKIP $2: |" | tee "$TEST_SCRATCH/$1.cases"
		;;
	77) echo "SKIP $2: $(skipped_cases "$log" | head -n 1)" ;;
	*)
		echo "FAIL $2 (status $status)"
		tail -n 60 "$log"
		;;
	esac
	rm -rf "$tmp"
}
export -f run_one

i=0
for program; do
	i=$((i + 1))
	printf '%d\0%s\0' "$i" "$program"
done | xargs -0 -n 2 -P "${TEST_JOBS:-2}" bash -c 'run_one "$0" "$1"'

passed=$(grep -lx 0 "$scratch"/*.status 2>/dev/null | wc -l)
skipped=$(grep -lx 77 "$scratch"/*.status 2>/dev/null | wc -l)
cases=$(cat "$scratch"/*.cases 2>/dev/null | wc -l)
failed=$(($# - passed - skipped))
echo "$name: $passed passed, $skipped skipped, $failed failed; $cases cases skipped in programs that passed"
[ "$failed" -eq 0 ] && [ $# -gt 0 ]
