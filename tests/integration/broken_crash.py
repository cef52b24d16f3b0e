"""A signer that is killed heals: the last batch is signed again, byte for byte, and nothing else takes its place."""
import shutil
import tempfile
import time
from pathlib import Path

from appliance import SIGNER_UID, CommandFailed, now
from broken_case import JWS, TLOG, BrokenCase
from broken_world import start_world
from broker import Broker
from signer_client import Log, entry, jws_payload


class Crash(BrokenCase):
    def kill_and_restart(self):
        self.world.kill_signer()
        self.world.restart_signer()
        self.broker.connect()

    def start_afresh(self):
        self.world.restart_signer(fresh=True)
        self.broker.log = Log()
        self.broker.connect()

    def test_the_same_batch_again(self):
        core, approvals = self.broker.papers()
        refused = self.broker.core()
        given, first = self.broker.batch(lambda: (JWS, self.broker.statement(core, approvals), core, approvals),
                                         lambda: (TLOG, self.broker.refusal(refused), refused, ()))
        again = [entry(JWS, given[0], core, approvals), entry(TLOG, given[1], refused)]
        self.assertEqual(self.broker.client.append(*again), first)
        self.kill_and_restart()
        self.assertEqual(self.broker.client.append(*again), first)
        # What the signer judged once it need not be shown again; what it never judged it does not sign.
        self.assertEqual(self.broker.client.append(entry(JWS, given[0]), entry(TLOG, given[1])), first)
        for code, batch in (("log_fork", again[:1]), ("log_fork", again[1:]), ("log_fork", again[::-1]), ("log_fork", again + again[1:]),
                            ("statement_shape", [again[0], entry(JWS, given[1], refused)])):
            with self.broker.refused(self, code):
                self.broker.client.append(*batch)
        self.broker.deny()
        with self.broker.refused(self, "log_fork"):
            self.broker.client.append(*again)

    def test_the_same_batch_when_its_time_has_passed(self):
        """A leaf issued more than 30 seconds ago."""
        self.start_afresh()
        core, approvals = self.broker.papers()
        statement = self.broker.statement(core, approvals, issued_at=now(-29))
        first = self.sign(statement, core, approvals)
        time.sleep(2.2)
        self.kill_and_restart()
        self.assertEqual(self.broker.client.append(entry(JWS, statement, core, approvals)), first)
        self.refuse("statement_time", self.broker.refusal(core, issued_at=statement["issued_at"]), core, form=TLOG)

    def test_an_operators_mistake_is_no_refusal_of_the_action(self):
        """Settings that name another key, no key or no token: one code on which a broker waits, with the reason behind it."""
        core, approvals = self.broker.papers()
        for name, code, settings in (("another key", "bad_key", {"seal_label": "checkpoint"}), ("no key", "token_key_missing", {"seal_label": "none"}),
                                     ("no URI", "bad_pkcs11_uri", {"token": "token=none"})):
            with self.subTest(name):
                self.world.restart_signer(**settings)
                self.broker.connect()
                with self.broker.refused(self, "signer_unavailable", detail=f"{code}: "):
                    self.broker.allow(core, approvals)
                self.assertTrue(self.broker.client.health()["reason"].startswith(f"{code}: "))
        self.world.restart_signer()
        self.broker.connect()
        self.broker.allow(core, approvals)

    def test_another_leaf_in_its_place(self):
        core, approvals = self.broker.papers()
        before = self.broker.place()
        self.broker.allow(core, approvals)
        self.kill_and_restart()
        self.refuse("log_fork", self.broker.refusal(core, log=before), core, form=TLOG)
        other, more = self.broker.papers()
        self.refuse("log_fork", self.broker.statement(other, more, log=before), other, more)

    # ---- what it remembers ----

    @property
    def journal(self):
        return self.world.var / "signer" / "journal"

    def refuse_start(self, code):
        with self.assertRaises(CommandFailed) as caught:
            self.world.restart_signer()
        self.world.processes.pop("signer", None)
        self.assertIn(code, str(caught.exception))

    def test_a_torn_last_line_is_cut_off(self):
        self.broker.deny()
        self.world.stop_process("signer")
        whole = self.journal.read_bytes()
        for torn in (b"0", b"0" * 64, b"0" * 64 + b' {"type":"batch"', b"0" * 64 + b' {"type":\0\0\0\0\n'):
            self.journal.write_bytes(whole + torn)
            self.world.restart_signer()
            self.world.stop_process("signer")
            self.assertEqual(self.journal.read_bytes(), whole)
        self.world.restart_signer()
        self.broker.connect()
        self.broker.deny()

    def test_any_other_damage_refuses_to_start(self):
        self.broker.deny()
        self.broker.deny()
        self.world.stop_process("signer")
        whole = self.journal.read_bytes()
        first = whole.index(b"\n") + 1
        last = whole.rindex(b"\n", 0, -1) + 1
        for what, damaged in (("a byte in the first line", bytes([whole[0] ^ 1]) + whole[1:]),
                              ("a byte in the middle", whole[:first + 100] + bytes([whole[first + 100] ^ 1]) + whole[first + 101:]),
                              ("a byte in the last line", whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:]),
                              ("a foreign line at the end", whole + b"0" * 64 + b' {"type":"batch"}\n'),
                              ("a line removed", whole[:first] + whole[whole.index(b"\n", first) + 1:]),
                              ("the first line alone, damaged", bytes([whole[0] ^ 1]) + whole[1:first]),
                              ("two lines exchanged", whole[:first] + whole[last:] + whole[first:last])):
            with self.subTest(what):
                self.journal.write_bytes(damaged)
                self.refuse_start("log_rollback")
                self.assertEqual(self.journal.read_bytes(), damaged)
        self.journal.write_bytes(whole)
        self.world.restart_signer()

    def test_a_last_line_that_is_gone_is_a_rollback(self):
        """A restored disk: the broker's log is ahead of it, and an honest broker learns of it."""
        self.broker.deny()
        self.world.stop_process("signer")
        whole = self.journal.read_bytes()
        self.journal.write_bytes(whole[:whole.rindex(b"\n", 0, -1) + 1])
        self.world.restart_signer()
        self.broker.connect()
        with self.broker.refused(self, "log_rollback"):
            self.broker.client.hello(self.broker.log.size, self.broker.log.root)
        self.world.stop_process("signer")
        self.journal.write_bytes(whole)
        self.world.restart_signer()

    def test_two_signers_never_share_a_log(self):
        process = self.world.processes.pop("signer")
        try:
            self.world.spawn("second", SIGNER_UID, self.world.appliance_environment, self.world.signer_binary, "--settings",
                             self.world.etc / "signer.conf")
            self.assertEqual(self.world.processes.pop("second").wait(timeout=20), 1)
            self.assertIn("busy", self.world.log_of("second"))
        finally:
            self.world.processes["signer"] = process


class EllipticCurve(BrokenCase):
    """The same where people and appliance have P-256 keys: signed again means another signature of the same statement."""

    def test_again(self):
        directory = tempfile.mkdtemp(prefix="broken-broker-p256.")
        world = None
        try:
            world = start_world(directory, people_algorithm="p256", seal_algorithm="p256")
            broker = Broker(world)
            broker.connect()
            core, approvals = broker.papers()
            statement, first = broker.allow(core, approvals)
            world.kill_signer()
            world.restart_signer()
            broker.connect()
            second = broker.client.append(entry(JWS, statement, core, approvals))
            for answer in (first, second):
                header, payload = jws_payload(answer["seals"][0], world.published())
                self.assertEqual((header["alg"], payload), ("ES256", statement))
            with broker.refused(self, "action_consumed"):
                broker.append(broker.statement(core, approvals), core, approvals)
            _, refusal = broker.deny()
            self.assertTrue(refusal["checkpoint"].startswith("acme.example/countersign\n2\n"))
            broker.close()
        finally:
            if world is not None:
                world.stop()
            shutil.rmtree(Path(directory))
