#!/bin/bash
# Both services must stay below the exposure limit, in tenths, as systemd-analyze scores them.
set -eu
limit=10
command -v systemd-analyze >/dev/null || { echo "units: no systemd-analyze; make deps installs it"; exit 1; }
status=0
for unit in systemd/countersignd.service systemd/countersign-signer@.service; do
	line=$(systemd-analyze security --offline=true "$unit" 2>&1 | grep 'Overall exposure level') || {
		echo "$unit: systemd-analyze gave no verdict"
		exit 1
	}
	score=$(sed -E 's/.*: ([0-9]+)\.([0-9]).*/\1\2/' <<<"$line")
	echo "$unit: exposure $((10#$score / 10)).$((10#$score % 10))"
	[ "$((10#$score))" -le "$limit" ] || status=1
done
grep -qE '^PrivateUsers=(yes|true)' systemd/countersignd.service && { echo "countersignd: PrivateUsers breaks peer credentials"; status=1; }
exit $status
