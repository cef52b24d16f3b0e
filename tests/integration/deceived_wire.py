"""What is no answer at all: garbage, too much, numbers in another spelling, errors that say something to the terminal, and silence."""
import json
import os
import socket
import threading
import time

from appliance import address
from deceived_case import DeceivedCase
from deceiver import PREFIX, YES, FakeBroker, pin_of

SILENCE_SECONDS = 120
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[1;1H\r\b\x9b31m\u202e\u2066\u200b\u2028\x7f\nSign? [y/N] "


def raw(reply):
    return json.dumps({"parameters": reply}).encode() + b"\0"


class Garbage(DeceivedCase):
    def test_no_message(self):
        honest = raw(self.opened)
        for method in ("Show", "OpenBrief"):
            for bad in (b"hello\0", b"\0", b"[]\0", b'"x"\0', b"null\0", b'{"parameters":[]}\0', b'{"parameters":"x"}\0', b"\xff\xfe\0", b"\xef\xbb\xbf{}\0",
                        b'{"parameters":{"core":1,"core":2}}\0', b'{"parameters":{}} {}\0', b'{"parameters":' + b"[" * 100 + b"]" * 100 + b"}\0",
                        b'{"parameters":{"a":"\\ud800"}}\0', b'{"parameters":{"a":"\\u0000"},\0', b"\x1b[2J\0", honest[:-1].replace(b"{", b"[", 1) + b"\0",
                        honest[:1000] + b"\0"):
                with self.subTest(method, bad=bad[:40]):
                    self.refused("service_unavailable", status=3, **{method: lambda _, bad=bad: bad})

    def test_the_end_of_the_connection(self):
        for method in ("Show", "OpenBrief"):
            def hang_up(_):
                raise OSError("gone")
            self.refused("service_unavailable", status=3, **{method: hang_up})

    def test_too_much(self):
        block = b"x" * 65536
        for method in ("Show", "OpenBrief"):
            for endless in ([b'{"parameters":{"core":"'] + [block] * 40, [block] * 40, [b'{"parameters":{"core":"' + block * 17 + b'"}}\0']):
                screen = self.refused("service_unavailable", status=3, **{method: lambda _, endless=endless: endless})
                self.assertIn("more than 1048576 bytes", screen.error)

    def test_of_another_method(self):
        self.refused("document_invalid", OpenBrief=lambda _: self.shown)
        self.refused("service_unavailable", status=3, Show=lambda _: {})
        self.refused("document_invalid", OpenBrief=lambda _: {"parameters": self.opened})

    def test_answers_to_what_was_not_asked_yet(self):
        """Both answers at once: the second is taken for what it is, and judged like any other."""
        core = json.loads(json.dumps(self.opened))
        core["core"]["nonce"] = "0" * 32
        self.refused("approval_other_action", Show=lambda _: raw(self.shown) + raw(core), OpenBrief=lambda _: b"", path="basis/action")

    def test_numbers_in_another_spelling(self):
        """Refused, or the same value with the same address: then the page is the honest one."""
        honest = raw(self.opened)
        for old, new, code, status in ((b'"level": 2', b'"level": 2.5', "document_invalid", 1), (b'"level": 2', b'"level": "2"', "document_invalid", 1),
                                       (b'"level": 2', b'"level": 02', "service_unavailable", 3), (b'"level": 2', b'"level": +2', "service_unavailable", 3),
                                       (b'"level": 2', b'"level": 0x2', "service_unavailable", 3), (b'"level": 2', b'"level": NaN', "service_unavailable", 3),
                                       (b'"level": 2', b'"level": 9007199254740993', "service_unavailable", 3), (b'"level": 2', b'"level": 1e999', "service_unavailable", 3),
                                       (b'"level": 2', b'"level": -2', "document_invalid", 1), (b'"level": 2', b'"level": 2, "level": 2', "service_unavailable", 3)):
            with self.subTest(new):
                self.assertIn(old, honest)
                self.refused(code, status=status, OpenBrief=lambda _, old=old, new=new: honest.replace(old, new, 1))
        for new in (b'"level": 2.0', b'"level": 2e0', b'"level": 20e-1'):
            with self.subTest(new):
                screen = self.asked(OpenBrief=lambda _, new=new: honest.replace(b'"level": 2', new, 1), script=[YES, pin_of(self.world.people["ada"])])
                self.assertEqual(screen.broker.calls[-1][1]["snapshot"]["basis"], address(self.opened["basis"]))


class Errors(DeceivedCase):
    """An error's text is the broker's: it is shown, on one line, and does nothing."""

    def error(self, **parameters):
        return lambda _: {"error": PREFIX + "Refused", "parameters": parameters}

    def test_known(self):
        for method in ("Show", "OpenBrief"):
            self.refused("approval_slot", path="role", **{method: self.error(code="approval_slot", path="role", detail="nobody is asked")})
            self.refused("busy", status=3, **{method: self.error(code="busy", path="", detail="later")})
            # What would be a wrong command line here is a refusal when the appliance says so.
            self.refused("usage", status=1, **{method: self.error(code="usage", path="", detail="x")})

    def hostile(self, method, answer):
        broker = self.broker(**{method: answer})
        screen = self.command(broker, config=self.world.config_of("ada", module="/nonexistent.so"))
        self.assertEqual(screen.status, 1, screen)
        self.assert_harmless(screen)
        self.assertEqual(len([line for line in screen.lines if line]), 1, screen)
        self.assertIn("\\u{1B}", screen.text)
        self.assertNotIn("Decide", broker.methods)
        return screen

    def test_what_they_say_does_nothing(self):
        for method in ("Show", "OpenBrief"):
            for code, name in (("approval_slot", "approval_slot"), ("not_found", "not_found"), (HOSTILE, "wrong_state"), ("ok", "wrong_state")):
                with self.subTest(method, code=name):
                    self.assertEqual(self.hostile(method, self.error(code=code, path=HOSTILE, detail=HOSTILE)).code, name)
            self.assertEqual(self.hostile(method, lambda _: {"error": HOSTILE, "parameters": {}}).code, "wrong_state")
            self.assertEqual(self.hostile(method, lambda _: {"error": "org.varlink.service.MethodNotFound" + HOSTILE, "parameters": {}}).code, "wrong_state")

    def test_very_long(self):
        screen = self.refused("approval_slot", OpenBrief=self.error(code="approval_slot", path="x" * 100000, detail="y" * 100000))
        self.assertLess(len(screen.text), 1200)

    def test_of_no_shape(self):
        for parameters in (None, [], "x", {"code": 7}, {"code": None, "detail": {}}):
            self.refused("wrong_state", OpenBrief=lambda _, parameters=parameters: {"error": PREFIX + "Refused", "parameters": parameters})
        for name in (7, None, {}, []):
            self.refused("wrong_state", OpenBrief=lambda _, name=name: {"error": name})


class AfterSigning(DeceivedCase):
    """The decision is made and sent; what the broker says about it is not believed either."""

    def signed(self, answer):
        screen = self.asked(script=[YES, pin_of(self.world.people["ada"])], Decide=answer)
        self.assertEqual(screen.broker.methods, ["Show", "OpenBrief", "Decide"])
        self.assertNotIn("proof checked", screen.text)
        return screen

    def test_no_receipt(self):
        for answer, code, status in (({}, "document_invalid", 1), ({"state": "approved"}, "document_invalid", 1), ({"state": "approved", "receipt": {}}, "document_invalid", 1),
                                     (b"garbage\0", "service_unavailable", 3), ([b"x" * 65536] * 40, "service_unavailable", 3)):
            screen = self.signed(lambda _, answer=answer: answer)
            self.assertEqual((screen.status, screen.code), (status, code), screen)

    def test_a_state_that_speaks_to_the_terminal(self):
        self.signed(lambda _: {"state": HOSTILE, "receipt": {"decision": HOSTILE, "statement": {HOSTILE: HOSTILE}, "seal": HOSTILE}})


class Silence(DeceivedCase):
    """No answer is no endless wait: each of these began when the tests did, because the deadline is two minutes."""

    running = {}

    @classmethod
    def begin(cls):
        def wait(name, broker, script=()):
            began = time.monotonic()
            screen = cls.command(cls(), broker, config=None if script else cls.world.config_of("ada", module="/nonexistent.so"), script=script,
                                 timeout=SILENCE_SECONDS * 3)
            cls.results[name] = screen, time.monotonic() - began
        cls.results, cls.brokers = {}, []
        show, opened = (lambda _: cls.shown), (lambda _: cls.opened)
        drip = [part for byte in raw(cls.shown)[:400] for part in (bytes([byte]), 1.0)]
        for name, answers, script in (("show", {"Show": lambda _: [600.0]}, ()), ("brief", {"Show": show, "OpenBrief": lambda _: [600.0]}, ()),
                                      ("drip", {"Show": lambda _: drip}, ()), ("half", {"Show": lambda _: [raw(cls.shown)[:-10], 600.0]}, ()),
                                      ("decide", {"Show": show, "OpenBrief": opened, "Decide": lambda _: [600.0]}, (YES, pin_of(cls.world.people["ada"])))):
            broker = FakeBroker(**answers)
            cls.brokers.append(broker)
            cls.running[name] = threading.Thread(target=wait, args=(name, broker, script), daemon=True)
        cls.deaf = FakeBroker()
        cls.brokers.append(cls.deaf)
        path = cls.deaf.directory + "/deaf.sock"
        cls.listener = socket.socket(socket.AF_UNIX)
        cls.listener.bind(path)
        os.chmod(path, 0o666)
        cls.listener.listen(0)
        cls.fillers = []
        for _ in range(4):
            filler = socket.socket(socket.AF_UNIX)
            filler.setblocking(False)
            try:
                filler.connect(path)
            except BlockingIOError:
                pass
            cls.fillers.append(filler)
        cls.running["deaf"] = threading.Thread(target=wait, args=("deaf", path), daemon=True)
        for thread in cls.running.values():
            thread.start()

    @classmethod
    def end(cls):
        for broker in cls.brokers:
            broker.close()
        for opened in [cls.listener, *cls.fillers]:
            opened.close()

    def ended(self, name):
        self.running[name].join(SILENCE_SECONDS * 3)
        screen, seconds = self.results[name]
        self.assertEqual((screen.status, screen.code), (3, "timeout"), screen)
        self.assertGreater(seconds, SILENCE_SECONDS - 5)
        self.assertLess(seconds, SILENCE_SECONDS + 60)
        return screen

    def test_silence(self):
        for name in ("show", "brief", "drip", "half", "deaf"):
            with self.subTest(name):
                self.assert_refused(self.ended(name), "timeout", 3)

    def test_silence_after_signing(self):
        screen = self.ended("decide")
        self.assertNotIn("proof checked", screen.text)


__all__ = ["AfterSigning", "Errors", "Garbage", "Silence"]
