#!/usr/bin/python3
"""Shows that each security rule of core/ bites: with the rule switched off a named test fails that passes with it on.

    teeth.py [DIRECTORY]

DIRECTORY holds the unit tests of the teeth build (default: $CS_BUILD/teeth/tests/unit), where CS_RULES_OFF switches rules off. The rules are those of
core/rule.h. Rules that only the signer process applies are shown to bite in tests/integration, against a whole signer.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# rule: [(program, tests that must fail)]; a third entry names rules that are off all along, because they notice the same.
GATE = ("verify.gate",)
ROWS = {
    "quorum.two-persons": [("test_quorum", ["one_person_is_one"]), ("test_teeth", ["quorum_two_persons"], GATE)],
    "quorum.two-keys": [("test_quorum", ["one_key_is_one"])],
    "quorum.two-tokens": [("test_quorum", ["one_token_is_one"]), ("test_teeth", ["quorum_two_tokens"], GATE)],
    "quorum.requester": [("test_approval", ["the_requester_fills_the_engineers_slot_only"]), ("test_teeth", ["quorum_requester"])],
    "quorum.role-held": [("test_approval", ["roles_are_held_and_cover_the_service"]), ("test_teeth", ["quorum_role_held"])],
    "quorum.role-scope": [("test_approval", ["roles_are_held_and_cover_the_service"]), ("test_teeth", ["quorum_role_scope"])],
    "quorum.binding": [("test_approval", ["a_binding_to_anything_else_is_refused"]), ("test_teeth", ["quorum_binding"])],
    "quorum.window": [("test_approval", ["windows_are_kept"]), ("test_teeth", ["quorum_window"])],
    "quorum.revoked": [("test_approval", ["key_windows_and_revocation_are_judged_at_the_time"]), ("test_teeth", ["quorum_revoked"])],
    "quorum.is-approval": [("test_quorum", ["one_that_is_no_approval_fills_nothing"]), ("test_teeth", ["quorum_is_approval"], GATE)],
    "quorum.signature": [("test_approval", ["an_approval_altered_by_one_byte_is_refused"]), ("test_teeth", ["quorum_signature"], GATE)],
    "trust.genesis": [("test_trust", ["genesis_is_pinned"]), ("test_policy", ["genesis_is_pinned"])],
    "trust.chain": [("test_trust", ["versions_follow_each_other"]), ("test_policy", ["versions_follow_each_other"])],
    "trust.two-signers": [("test_trust", ["roles_of_the_two_signers", "two_signers_on_one_token"]),
                          ("test_policy", ["an_sre_lead_and_compliance_sign"]), ("test_published_keys", ["two_people_publish"])],
    "trust.self-raise": [("test_trust_change", ["nobody_signs_for_themselves", "nobody_signs_in_a_key_of_their_own",
                                                "nobody_signs_in_a_grant_to_themselves"])],
    "trust.nothing-removed": [("test_trust_change", ["no_entry_is_removed", "keys_and_tokens_end", "roles_end"])],
    "trust.appliance-keys": [("test_teeth", ["trust_appliance_keys"])],
    "policy.irreversible-quorum": [("test_policy", ["content_rules"]), ("test_oversight", ["another_command_takes_two_people"])],
    "verify.subject": [("test_teeth", ["verify_subject"])],
    "verify.statement": [("test_teeth", ["verify_statement"])],
    "verify.oversight": [("test_teeth", ["verify_oversight"], GATE)],
    "verify.quorum": [("test_teeth", ["verify_quorum"], GATE)],
    "verify.gate": [("test_teeth", ["verify_gate"])],
    "verify.envelopes": [("test_teeth", ["verify_envelopes"])],
    "verify.brief": [("test_teeth", ["verify_brief"])],
    "verify.engine": [("test_teeth", ["verify_engine"])],
    "verify.policy": [("test_teeth", ["verify_policy"])],
    "verify.grants": [("test_teeth", ["verify_grants"])],
    "verify.revocation": [("test_teeth", ["verify_revocation_of_the_seal_key", "verify_revocation_of_the_document_key",
                                          "verify_revocation_with_a_last_checkpoint"])],
    "verify.addresses": [("test_teeth", ["verify_addresses"])],
}

# The signer process keeps what it has accepted; core/ alone cannot be asked.
ELSEWHERE = {"trust.rollback": "tests/integration/broken_teeth.py"}


def rules():
    """Every rule of core/rule.h that is not the signer's own."""
    names = re.findall(r'X\(CS_RULE_\w+, "([a-z.-]+)"\)', (ROOT / "core" / "rule.h").read_text())
    return [name for name in names if not name.startswith("signer.")]


class Runs:
    """Runs of the test programs, each combination once."""

    def __init__(self, directory):
        self.directory = directory
        self.known = {}

    def failed(self, program, off):
        """The tests that fail with these rules off, or None where the program cannot be run to its end."""
        key = (program, tuple(sorted(off)))
        if key not in self.known:
            self.known[key] = self.run(program, ",".join(key[1]))
        return self.known[key]

    def run(self, program, off):
        environment = {**os.environ, "CS_RULES_OFF": off}
        try:
            run = subprocess.run([self.directory / program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        failed = set(re.findall(r"^\[  FAILED  \] (\w+)$", run.stderr + run.stdout, re.M))
        # cmocka's exit status is the number of failures; a crash is no bite.
        return failed if run.returncode == len(failed) and "test(s) run" in run.stderr + run.stdout else None


def problem(runs, rule, program, tests, besides=()):
    """Why this row does not show that the rule bites, or None."""
    before = runs.failed(program, besides)
    if before is None:
        return f"{program} does not run"
    after = runs.failed(program, (*besides, rule))
    if after is None:
        return f"{program} does not run with {rule} off"
    for test in tests:
        if test in before:
            return f"{program} {test} fails with {rule} on"
        if test not in after:
            return f"{program} {test} passes with {rule} off"
    return None


def judge(runs, rule):
    """(the rule bites, what to say)"""
    if rule in ELSEWHERE:
        path = ELSEWHERE[rule]
        return f'"{rule}"' in (ROOT / path).read_text(), f"in {path}"
    if rule not in ROWS:
        return False, "no test is named for this rule"
    for row in ROWS[rule]:
        why = problem(runs, rule, *row)
        if why:
            return False, why
    return True, "; ".join(" ".join((program, *tests)) for program, tests, *_ in ROWS[rule])


def main(arguments):
    default = pathlib.Path(os.environ.get("CS_BUILD", "build")) / "teeth" / "tests" / "unit"
    runs = Runs((ROOT / (arguments[0] if arguments else default)).resolve())
    listed = rules()
    bites = 0
    failures = sorted({*ROWS, *ELSEWHERE} - set(listed))
    for rule in failures:
        print(f"FAILED {rule}: no such rule in core/rule.h")
    for program in sorted({program for rows in ROWS.values() for program, *_ in rows}):
        failed = runs.failed(program, ())
        if failed is None or failed:
            failures.append(program)
            print(f"FAILED {program}: with every rule on: {', '.join(sorted(failed)) if failed else 'does not run'}")
    for rule in listed:
        good, text = judge(runs, rule)
        print(f"{'bites ' if good else 'FAILED'} {rule}: {text}", flush=True)
        bites += good
        if not good:
            failures.append(rule)
    print(f"teeth: {bites} rules bite, {len(failures)} failed")
    return 1 if failures or not bites else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
