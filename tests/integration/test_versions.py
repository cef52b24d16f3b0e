#!/usr/bin/python3
"""Trust sets and policies that come into force at a time: drafted ahead, installed early, taken up by both services at the same moment.

One appliance on throwaway tokens serves all cases, in the order of their names; each leaves newer versions behind. Needs root, exits 77 where it cannot run.
"""
import base64
import datetime
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import unittest

from appliance import AGENT_UID, BROKER_UID, SIGNER_UID, Appliance, VarlinkError, address, need_root_and_softhsm, now, run_cases, skip

LEAD_SECONDS = 8     # to sign, install, reload and seal in
MADE = ("schema", "id", "version", "previous", "issued_at", "signatures")
SIGNERS = {"trust_set": ("sam", "lena"), "policy": ("lena", "cora")}
COMMANDS = {"trust_set": "trust-set", "policy": "policy"}


def moment(offset=0):
    """RFC 3339 time as documents have it: whole seconds without a fraction."""
    return now(offset).replace(".000Z", "Z")


def when(text):
    """A time to compare: as text, a whole second would be later than what follows in it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class VersionsAppliance(Appliance):
    """Drafts for a time of one's choice; the purpose grant allows more requests a minute than a test makes."""

    issued_at = None
    rate_cap = 1000000

    def directory_of(self, kind):
        return self.trust_directory if kind == "trust_set" else self.policy_directory

    def plan(self, kind):
        """The newest version's content, with a trace of this version in it."""
        newest = json.loads(self.newest(self.directory_of(kind)).read_text())
        plan = {key: value for key, value in newest.items() if key not in MADE}
        if kind == "policy":
            plan["title"] = f"after version {newest['version']}"
        else:
            plan["organisations"][0]["name"] = f"Acme after version {newest['version']}"
        path = self.directory / f"{kind}-plan.json"
        path.write_text(json.dumps(plan))
        return path

    def draft(self, kind, plan, directory):
        previous = self.newest(directory)
        out = self.directory / f"{kind}-draft.json"
        extra = (["--previous", previous] if previous else []) + (["--issued-at", self.issued_at] if self.issued_at else [])
        self.provision(kind, "draft", "--plan", plan, "--out", out, *extra)
        return out, previous

    def try_draft(self, kind, *arguments):
        """What the command says to the next version's draft."""
        newest = self.newest(self.directory_of(kind))
        return self.provision(COMMANDS[kind], "draft", "--plan", self.plan(kind), "--previous", newest, "--out", self.directory / "tried.json",
                              *arguments, "--json", check=False)

    def install(self, kind, issued_at=None, signers=None):
        """The next version, signed and in its directory."""
        self.issued_at = issued_at
        try:
            return self.add_version(COMMANDS[kind], self.plan(kind), self.directory_of(kind), signers or SIGNERS[kind])
        finally:
            self.issued_at = None

    def reload(self, *names):
        for name in names or ("signer", "daemon"):
            self.processes[name].send_signal(signal.SIGHUP)


def statement_of(pack):
    """What was signed about this pack, whichever form the seal has."""
    seal = pack["signatures"][0]["signature"]
    if seal.startswith("sig:jws:"):
        return json.loads(base64.urlsafe_b64decode(seal.split(".")[1] + "=="))
    proof = base64.urlsafe_b64decode(seal.removeprefix("sig:tlog:") + "==").decode()
    extra = next(line for line in proof.split("\n") if line.startswith("extra "))
    return json.loads(base64.b64decode(extra.removeprefix("extra ")))


class Case(unittest.TestCase):
    appliance = None

    def call(self, method, **parameters):
        return self.appliance.call(method, AGENT_UID, **parameters)

    def propose(self, name="rollback", change=None):
        return self.call("Propose", request=self.appliance.request(name, change))

    def seal_both(self):
        """Packs in both forms, made now: an allow and a deny."""
        def drop(request):
            request["due_diligence"] = None
        packs = []
        for name, change, state, form in (("restart", None, "sealed", "sig:jws:"), ("rollback", drop, "denied", "sig:tlog:")):
            proposal = self.propose(name, change)
            self.assertEqual(proposal["state"], state)
            pack = self.appliance.pack(proposal["id"])
            self.assertTrue(pack["signatures"][0]["signature"].startswith(form))
            packs.append(pack)
        return packs

    def names(self, packs, kind, document):
        self.assertEqual([statement_of(pack)[kind] for pack in packs], [address(document)] * len(packs))

    def authentic(self, packs):
        """Under the newest published keys, and under all trust sets."""
        for keys in ((), ("--trust", self.appliance.etc / "trust.json")):
            for pack in packs:
                verdict = self.appliance.verify(pack, *keys).json()
                failed = [check for check in verdict["checks"] if check["result"] == "failed"]
                self.assertEqual((failed, verdict["authentic"]), ([], True))

    def document(self, kind, number):
        return json.loads((self.appliance.directory_of(kind) / f"{number:06d}.json").read_text())

    def version(self, kind):
        return self.appliance.status()[kind]["version"]

    def wait_ready(self, condition=lambda: True, what="the appliance to seal"):
        self.appliance.wait_until(lambda: condition() and self.appliance.status()["signer"]["ready"], what)

    def wait_for_log(self, text, names=("signer", "daemon")):
        for name in names:
            self.appliance.wait_until(lambda name=name: text in self.appliance.log_of(name), f"'{text}' of the {name}")

    def wait_reloaded(self, act):
        """Until both have answered a reload that `act` asks for."""
        marks = {"signer": " are in force", "daemon": "reloaded: "}
        before = {name: self.appliance.log_of(name).count(mark) for name, mark in marks.items()}
        act()
        for name, mark in marks.items():
            self.appliance.wait_until(lambda name=name, mark=mark: self.appliance.log_of(name).count(mark) > before[name], f"the {name} to reload")
        self.wait_ready()


class A_Drafts(Case):
    def test_a_time_is_taken_within_its_limits(self):
        for kind in SIGNERS:
            # A little back is taken, but for what is before the genesis.
            self.appliance.wait_until(lambda kind=kind: when(moment(-3)) > when(self.document(kind, 1)["issued_at"]), "the genesis to grow old")
            for issued_at in (moment(-3), moment(), moment(60), moment(7 * 86400 - 60)):
                result = self.appliance.try_draft(kind, "--issued-at", issued_at)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(result.json()["issued_at"], issued_at)
                self.assertEqual(json.loads((self.appliance.directory / "tried.json").read_text())["issued_at"], issued_at)

    def test_other_times_are_refused(self):
        for kind in SIGNERS:
            for issued_at, status, code in (("tomorrow", 1, "bad_time"), ("2026-11-20T10:00:00+01:00", 1, "bad_time"), (moment(-90), 2, "usage"),
                                            (moment(7 * 86400 + 60), 2, "usage")):
                result = self.appliance.try_draft(kind, "--issued-at", issued_at)
                self.assertEqual((result.status, result.json()["error"]["code"]), (status, code), issued_at)
                self.assertIn(issued_at, result.json()["error"]["detail"])

    def test_a_version_is_later_than_the_one_before(self):
        ahead = self.appliance.directory / "ahead.json"
        for kind in SIGNERS:
            newest, plan = self.appliance.newest(self.appliance.directory_of(kind)), self.appliance.plan(kind)
            document = json.loads(newest.read_text())
            document["issued_at"] = at = moment(3600)
            ahead.write_text(json.dumps(document))
            for arguments, status in ((("--issued-at", at), 1), ((), 1), (("--issued-at", moment(3700)), 0)):
                result = self.appliance.provision(COMMANDS[kind], "draft", "--plan", plan, "--previous", ahead, "--out",
                                                  self.appliance.directory / "tried.json", *arguments, "--json", check=False)
                self.assertEqual(result.status, status, result)
                if status:
                    self.assertEqual(result.json()["error"]["code"], "broken_chain")


class B_AtItsTime(Case):
    def switch(self, kind):
        number = self.version(kind)
        old = self.document(kind, number)
        waiting = self.propose()
        self.assertEqual(waiting["state"], "awaiting_approval")
        at = moment(LEAD_SECONDS)
        new = json.loads(self.appliance.install(kind, at).read_text())
        self.assertEqual(new["issued_at"], at)
        self.wait_reloaded(self.appliance.reload)
        what = f"{kind.replace('_', ' ')} {number + 1}"
        self.wait_for_log(f"{what} comes into force at {at}")
        status = self.appliance.status()
        self.assertEqual((status[kind]["version"], status["next_version_at"]), (number, at))
        self.assertIn(at, self.appliance.countersign("--socket", self.appliance.api, "status", user=AGENT_UID, check=True).output)
        before = self.seal_both()
        self.assertEqual(self.call("Show", id=waiting["id"])["action"]["state"], "awaiting_approval")
        self.assertLess(when(moment()), when(at), "the machine is too slow for this lead")
        self.appliance.publish()

        # Nobody asks for a reload any more.
        self.wait_ready(lambda: self.version(kind) == number + 1, "the next version")
        self.assertGreaterEqual(when(moment()), when(at))
        self.wait_for_log(f"{what} is in force: {address(new)}")
        self.assertIsNone(self.appliance.status()["next_version_at"])
        ended = self.call("Wait", id=waiting["id"])["action"]
        self.assertEqual((ended["state"], ended["outcome"], ended["final"]), ("invalidated", "deny", True))
        after = self.seal_both() + [self.appliance.pack(waiting["id"])]
        self.names(before, kind, old)
        self.names(after, kind, new)
        self.authentic(before + after)

    def test_a_policy(self):
        self.switch("policy")

    def test_a_trust_set(self):
        self.switch("trust_set")

    def test_people_approve_before_and_after(self):
        """Their command leaves the version to come out, too."""
        number, at = self.version("trust_set"), moment(3600)
        target = self.appliance.install("trust_set", at)
        self.wait_reloaded(self.appliance.reload)
        try:
            action = self.propose()["id"]
            for name, role in (("ada", "engineer"), ("carl", "change_owner")):
                result = self.appliance.approve(name, action, role)
                self.assertEqual(result.status, 0, result)
            self.assertEqual(self.appliance.wait_final(action)["state"], "sealed")
            pack = self.appliance.pack(action)
            self.names([pack], "trust_set", self.document("trust_set", number))
            self.authentic([pack])
        finally:
            target.unlink()
        # A version that was not in force yet may be taken back.
        self.wait_reloaded(self.appliance.reload)
        self.assertEqual((self.version("trust_set"), self.appliance.status()["next_version_at"]), (number, None))

    def test_what_is_sealed_around_the_moment_verifies(self):
        """Whatever the two clocks' races give, a statement names the version of its time."""
        numbers = {kind: self.version(kind) for kind in SIGNERS}
        at = moment(LEAD_SECONDS)
        new = {kind: json.loads(self.appliance.install(kind, at).read_text()) for kind in SIGNERS}
        old = {kind: self.document(kind, number) for kind, number in numbers.items()}
        self.wait_reloaded(self.appliance.reload)
        self.appliance.publish()
        self.assertLess(when(moment(0.5)), when(at), "the machine is too slow for this lead")
        while when(moment(0.4)) < when(at):
            time.sleep(0.01)
        packs, refused = [], 0
        while when(moment(-2)) < when(at):
            try:
                proposal = self.propose("restart")
            except VarlinkError as error:
                self.assertEqual((error.name, error.code), ("SignerUnavailable", "signer_unavailable"))
                refused += 1
                time.sleep(0.005)
                continue
            self.assertIn(proposal["state"], ("sealed", "invalidated"))
            packs.append(self.appliance.pack(proposal["id"]))
        sides = [when(statement_of(pack)["issued_at"]) >= when(at) for pack in packs]
        self.assertEqual(set(sides), {False, True}, refused)
        for pack, later in zip(packs, sides):
            for kind in SIGNERS:
                self.names([pack], kind, (new if later else old)[kind])
        # The last before, the first after, and some of the others: each verification starts programs.
        edge = sides.index(True)
        self.authentic(packs[max(0, edge - 3):edge + 3] + packs[:1] + packs[-1:])


class C_Disagreement(Case):
    def test_the_daemon_follows_a_signer_that_is_ahead(self):
        for kind in SIGNERS:
            number = self.version(kind)
            waiting = self.propose()["id"]
            new = json.loads(self.appliance.install(kind).read_text())
            stops = self.appliance.log_of("daemon").count("sealing stopped")
            self.appliance.reload("signer")
            self.wait_for_log(address(new), ("signer",))
            self.assertEqual(self.version(kind), number)
            # Composed under the old version, refused, composed anew: nobody has to ask again.
            proposal = self.propose("restart")
            self.assertEqual(proposal["state"], "invalidated")
            self.assertEqual((self.version(kind), self.appliance.log_of("daemon").count("sealing stopped")), (number + 1, stops))
            self.assertEqual(self.call("Wait", id=waiting)["action"]["state"], "invalidated")
            self.appliance.publish()
            packs = self.seal_both() + [self.appliance.pack(id) for id in (proposal["id"], waiting)]
            self.names(packs, kind, new)
            self.authentic(packs)

    def test_sealed_after_a_late_version_was_issued(self):
        """What operating.md warns of: the version counted for verifiers before the services had it."""
        number = self.version("trust_set")
        late = self.appliance.install("trust_set")
        issued_at = json.loads(late.read_text())["issued_at"]
        packs = self.seal_both()
        self.assertGreater(min(when(statement_of(pack)["issued_at"]) for pack in packs), when(issued_at))
        self.names(packs, "trust_set", self.document("trust_set", number))
        self.authentic(packs)
        self.wait_reloaded(self.appliance.reload)
        self.appliance.publish()
        for pack in packs:
            verdict = self.appliance.verify(pack).json()
            failed = [(check["name"], check["code"]) for check in verdict["checks"] if check["result"] == "failed"]
            self.assertIn(("trust_set_in_force", "statement_other_trust_set"), failed)
            self.assertFalse(verdict["authentic"])
        self.authentic(self.seal_both())


class D_Refusals(Case):
    def test_a_wrong_version_does_no_harm_when_its_time_comes(self):
        number, at = self.version("policy"), moment(LEAD_SECONDS)
        target = self.appliance.install("policy", at, signers=("lena",))
        try:
            self.wait_reloaded(self.appliance.reload)
            self.assertEqual(self.appliance.status()["next_version_at"], at)
            for name in ("signer", "daemon"):
                self.appliance.wait_until(lambda name=name: "missing_signature" in self.appliance.log_of(name), f"the refusal of the {name}")
            self.assertGreaterEqual(when(moment()), when(at))
            packs = self.seal_both()
            self.names(packs, "policy", self.document("policy", number))
            self.authentic(packs)
        finally:
            target.unlink()
        self.wait_reloaded(self.appliance.reload)
        self.assertEqual(self.version("policy"), number)

    def test_a_version_that_was_in_force_cannot_come_again(self):
        """As when the clock is set back: both say so, and keep what they have."""
        for kind in SIGNERS:
            number = self.version(kind)
            target = self.appliance.newest(self.appliance.directory_of(kind))
            kept = target.read_bytes()
            document = json.loads(kept)
            document["issued_at"] = at = moment(3600)
            counts = {name: self.appliance.log_of(name).count("clock_behind") for name in ("signer", "daemon")}
            target.write_text(json.dumps(document))
            try:
                self.appliance.reload()
                for name, count in counts.items():
                    self.appliance.wait_until(lambda name=name, count=count: self.appliance.log_of(name).count("clock_behind") > count,
                                              f"the refusal of the {name}")
                    self.assertIn(f"version {number} was in force here before, but the clock has not reached its {at}", self.appliance.log_of(name))
                self.names(self.seal_both(), kind, json.loads(kept))
            finally:
                target.write_bytes(kept)
            self.wait_reloaded(self.appliance.reload)

    def test_nothing_starts_before_the_first_version(self):
        at = moment(3600)
        for kind, directory in (("trust", self.appliance.trust_directory), ("policy", self.appliance.policy_directory)):
            early = self.appliance.directory / f"early-{kind}"
            early.mkdir()
            early.chmod(0o755)
            document = json.loads((directory / "000001.json").read_text())
            document["issued_at"] = at
            (early / "000001.json").write_text(json.dumps(document))
            for program, user, settings in (("countersignd", BROKER_UID, "countersign.conf"), ("countersign-signer", SIGNER_UID, "signer.conf")):
                state = self.appliance.directory / f"early-{kind}-{program}"
                state.mkdir()
                shutil.chown(state, user, user)
                text = (self.appliance.etc / settings).read_text().replace(str(directory), str(early))
                text = text.replace(str(self.appliance.var / "broker"), str(state)).replace(str(self.appliance.var / "signer"), str(state))
                path = self.appliance.directory / f"early-{settings}"
                path.write_text(text)
                path.chmod(0o644)
                result = self.appliance.command(program, "--settings", path, user=user)
                self.assertEqual(result.status, 1, result)
                self.assertIn("not_in_force_yet", result.error)
                self.assertIn(f"version 1 comes into force at {at}", result.error)


class E_Restart(Case):
    def test_what_is_to_come_is_found_at_start(self):
        for kind in SIGNERS:
            number, at = self.version(kind), moment(LEAD_SECONDS)
            new = json.loads(self.appliance.install(kind, at).read_text())
            for name in ("daemon", "signer"):
                self.appliance.stop_process(name)
            self.appliance.start()
            self.assertEqual((self.version(kind), self.appliance.status()["next_version_at"]), (number, at))
            self.assertLess(when(moment()), when(at), "the machine is too slow for this lead")
            self.wait_ready(lambda kind=kind, number=number: self.version(kind) == number + 1, "the next version")
            self.appliance.publish()
            packs = self.seal_both()
            self.names(packs, kind, new)
            self.authentic(packs)


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"versions: {reason}")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="versions."))
    appliance = VersionsAppliance(directory)
    try:
        appliance.ceremony()
        appliance.settle()
        appliance.start()
        Case.appliance = appliance
        status = run_cases()
        ended = [appliance.stop_process(name) for name in ("daemon", "signer")]
        if status == 1 or ended != [0, 0]:
            print(ended, appliance.log_of("daemon")[-4000:], appliance.log_of("signer")[-4000:])
    finally:
        appliance.stop()
        shutil.rmtree(directory)
    return status if ended == [0, 0] else 1


if __name__ == "__main__":
    sys.exit(main())
