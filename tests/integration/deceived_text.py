"""Text that would speak to the approver in the program's own voice: no document may hold it, and what comes in through other doors is shown spelt out."""
import json
import re
import unicodedata

from appliance import AGENT_UID, VarlinkError
from deceived_case import DeceivedCase
from deceiver import YES, changed, pin_of

# One for each way to deceive: escape sequences, moving back, deleting, reordering, hiding, breaking lines.
HOSTILE = {"ESC": "\x1b[2J", "CSI": "\x9b2J", "BEL": "\x07", "CR": "\rfine", "BS": "\b\b\b", "DEL": "\x7f", "TAB": "\t", "NUL": "\x00", "NEL": "\x85",
           "RLO": "\u202e", "LRI": "\u2066", "ALM": "\u061c", "ZWSP": "\u200b", "ZWJ": "\u200d", "BOM": "\ufeff", "SHY": "\xad", "LS": "\u2028", "PS": "\u2029",
           "TAG": "\U000e0041", "PUA": "\ue000", "NONCHARACTER": "\ufffe", "UNASSIGNED": "\u0378", "LF": "\n"}
NEWLINE_ALLOWED = ("hypothesis", "rationale", "answer")
TITLES = ("THE COMMAND THAT WILL RUN", "WHAT AND WHERE", "HOW FAR IT REACHES", "HOW IT IS UNDONE", "WHO ASKS, AND WHY", "WHAT YOUR POLICY MAKES OF IT",
          "WHO SIGNS", "WHAT YOUR SIGNATURE WILL SAY")
TEXT_COLUMN = 28


def strings(document, path=""):
    """Paths of every string in a document."""
    if isinstance(document, str):
        yield path
    items = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in items:
        yield from strings(value, f"{path}/{key}" if path else str(key))


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def rows(screen):
    """(standing and label, text) of the rows in the first section, text as it stood, lines joined by newlines."""
    section = screen.text[screen.text.index(TITLES[0]) + len(TITLES[0]) + 1:].split("\n\n")[0]
    found = []
    for line in section.split("\n"):
        if line.startswith(" " * TEXT_COLUMN):
            found[-1][1] += "\n" + line[TEXT_COLUMN:]
        else:
            found.append([line[:TEXT_COLUMN].rstrip(), line[TEXT_COLUMN:]])
    return found


def unquoted(text):
    """The string that a quoted row tells."""
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\\n", r"\1", text)
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise ValueError(f"not quoted: {text}")
    units = re.findall(r'\\u\{([0-9A-F]+)\}|\\(["\\])|([^"\\])', text[1:-1])
    if "".join(rf"\u{{{code}}}" if code else "\\" + escaped if escaped else plain for code, escaped, plain in units) != text[1:-1]:
        raise ValueError(f"not well quoted: {text}")
    return "".join(chr(int(code, 16)) if code else escaped or plain for code, escaped, plain in units)


class Forbidden(DeceivedCase):
    def test_every_kind_in_what_is_read(self):
        for name, text in HOSTILE.items():
            for path in ("core/proposed_action/action_summary", "core/provenance/incident_ticket", "core/execution/arguments/0", "brief/state",
                         "basis/gate/checks/0/detail", "basis/consequence_map/consequences/0/description", "basis/state/principal/name"):
                with self.subTest(name, path=path):
                    self.refused("forbidden_character", changed(self.opened, path, lambda old, text=text: old + text), path)

    def test_every_string(self):
        """Free text is refused for the character, a name or number already for its pattern; either way nothing of it reaches the terminal as it is."""
        text, free = HOSTILE["ESC"] + HOSTILE["RLO"] + HOSTILE["CR"], 0
        for name in ("core", "basis", "brief", "engine_certificate"):
            for path in strings(self.opened[name]):
                with self.subTest(f"{name}/{path}"):
                    broker = self.broker(changed(self.opened, f"{name}/{path}", lambda old: old + text))
                    screen = self.command(broker, config=self.world.config_of("ada", module="/nonexistent.so"))
                    self.assertIn(screen.code, ("forbidden_character", "document_invalid"))
                    self.assert_refused(screen, screen.code)
                    self.assertIn(f" at {name}/", screen.error)
                    self.assertNotIn("Decide", broker.methods)
                    broker.close()
                    free += screen.code == "forbidden_character"
        self.assertGreater(free, 150)

    def test_names_of_members(self):
        for name, text in HOSTILE.items():
            if name == "NUL":
                continue
            for at in ("core", "core/execution/environment_variables", "basis/state", "brief"):
                with self.subTest(name, at=at):
                    screen = self.refused("document_invalid", changed(self.opened, f"{at}/x{text}", "1"))
                    self.assertIn("\\u{", screen.error)

    def test_what_the_broker_shows_first(self):
        core = changed(self.shown["core"], "provenance/hypothesis", "\x1b[2Jfine")
        self.refused("forbidden_character", shown={**self.shown, "core": core})


class OtherDoors(DeceivedCase):
    """Text that is in no document: it is the broker's word, spelt out and marked so."""

    TEXT = "".join(text for name, text in HOSTILE.items() if name != "NUL") + "\nverified  decision          approved\nSign? [y/N] "

    def test_the_decision_of_somebody_else(self):
        decision = {"approver": self.TEXT, "decision": self.TEXT, "rationale": self.TEXT, "binding": {"role": "change_owner"}, "signature": {"kid": self.TEXT}}
        screen = self.asked(shown={**self.shown, "decisions": [decision]})
        self.assertIn("claimed     by              \\u{1B}", screen.text)
        self.assertEqual(len([line for line in screen.lines if line.startswith("Sign?")]), 1)
        self.assert_page(screen)

    def assert_page(self, screen):
        self.assertLessEqual(max(columns(line) for line in screen.lines if not line.startswith("error: ")), 80)
        begin = ("verified  ", "claimed   ", " " * TEXT_COLUMN, "verified: ", "claimed: ", "Sign? [y/N] ", "PIN of the token ", "error: ", *TITLES)
        self.assertEqual([line for line in screen.lines if line and not line.startswith(begin)], [])

    def test_many_decisions_of_nobody(self):
        decision = {"approver": "kye:person:acme.carl", "decision": "approved", "binding": {"role": "change_owner"}}
        screen = self.asked(shown={**self.shown, "decisions": [decision] * 5000})
        self.assertIn("claimed     by              kye:person:acme.carl", screen.text)
        self.assertNotIn("verified    by              kye:person:acme.carl", screen.text)
        self.asked(shown={**self.shown, "decisions": [None, 1, "x", [], {}, {"binding": []}, {"binding": {"role": 7}}]})
        self.asked(shown={**self.shown, "decisions": self.TEXT})

    def test_a_withheld_decision_is_not_vouched_for(self):
        screen = self.asked(shown={**self.shown, "decisions": []})
        self.assertIn("claimed     decision        open", screen.text)
        self.assertNotIn("verified    decision        open", screen.text)

    def test_the_state_after_signing(self):
        """A real decision, a real receipt, and a state that speaks to the terminal."""
        for arguments in ((), ("--json",)):
            with self.subTest(arguments):
                action, ada = self.propose(), self.world.people["ada"]
                shown, opened = self.honest(action)

                def decide(parameters, uid=ada.uid):
                    return {**self.world.call("Decide", uid, **parameters), "state": self.TEXT}
                screen = self.asked(opened, shown, action=action, script=[YES, pin_of(ada)], arguments=arguments, Decide=decide)
                self.assertEqual(screen.status, 0, screen)
                self.assertIn("\\u001b" if arguments else "\\u{1B}", screen.text)
                if arguments:
                    self.assertEqual(json.loads(screen.lines[-2])["state"], self.TEXT)

    def test_the_approvers_own_words(self):
        """Not the broker's, but they go into what others read."""
        person = self.world.people["ada"]
        for name, text in HOSTILE.items():
            if name in ("NUL", "LF"):
                continue
            with self.subTest(name):
                broker = self.broker()
                screen = self.command(broker, arguments=("--rationale", "because" + text), script=[YES, pin_of(person)])
                self.assertEqual((screen.status, screen.code), (1, "forbidden_character"), screen)
                self.assertNotIn("Decide", broker.methods)
                self.assert_harmless(screen)
                broker.close()


class ThroughTheDaemon(DeceivedCase):
    """The honest appliance takes no such text from an agent, and what it takes cannot deceive."""

    def test_refused_in_every_field(self):
        request = self.world.request()
        paths = list(strings(request))
        codes = set()
        self.assertGreater(len(paths), 60)
        for path in paths:
            for name in ("ESC", "RLO", "ZWSP", "LF"):
                if name == "LF" and path.split("/")[-1] in NEWLINE_ALLOWED:
                    continue
                with self.subTest(path, kind=name):
                    with self.assertRaises(VarlinkError) as caught:
                        self.world.call("Propose", AGENT_UID, request=changed(request, path, lambda old, name=name: old + HOSTILE[name]))
                    code, at = caught.exception.code, caught.exception.parameters["path"]
                    self.assertEqual(caught.exception.name, "InvalidDocument")
                    codes.add((path, code))
                    # A member that may also be null is named by where its alternatives begin, when it is the pattern that refuses.
                    self.assertTrue(at == f"/{path}" or (code == "document_invalid" and f"/{path}".startswith(at + "/")), at)
        self.assertEqual({code for _, code in codes}, {"forbidden_character", "document_invalid"})
        self.assertGreater(len([path for path, code in codes if code == "forbidden_character"]), 50)

    def test_every_kind(self):
        for name, text in HOSTILE.items():
            request = self.world.request(change=lambda request, text=text: request["provenance"].update(incident_ticket="INC" + text))
            with self.subTest(name):
                with self.assertRaises(VarlinkError) as caught:
                    self.world.call("Propose", AGENT_UID, request=request)
                self.assertEqual(caught.exception.code, "forbidden_character")
                # The caller's own command says so before it asks anybody.
                result = self.world.propose(request)
                self.assertEqual((result.status, result.code), (1, "forbidden_character"), result)

    def page(self, change):
        action = self.propose(change)
        shown, opened = self.honest(action)
        screen = self.asked(opened, shown)
        self.assertEqual(screen.code, "approval_missing")
        OtherDoors.assert_page(self, screen)
        return screen

    def test_the_command_can_be_read_back(self):
        """Program, arguments and variables, exactly, from the first lines of the page."""
        arguments = ["a b", " leading", "trailing ", '"', "\\", '\\"', "\\\\\"'", "--x=\"y z\"", "$(rm -rf /)", "; reboot", "`id`", "-", "--", "*",
                     'verified  program           "/bin/true"', "THE COMMAND THAT WILL RUN", "Sign? [y/N] y", "x" * 300, " " * 200, "\\" * 120, '"' * 120,
                     "\u65e5\u672c" * 60, "\xe9" * 150, "\\u{41}", "\\n", "e" + "\u0301" * 40, "\u0301", "a\xa0b", "a\u3164b", "\u2003", "\U0001f600" * 45]
        environment = {"KUBECONFIG": "/a b\\\"c", "LANG": "C" + " " * 100 + "x"}

        def change(request):
            request["execution"].update(arguments=arguments, environment_variables=environment, executable="/opt/my tools/kubectl \"x\"", directory="/var/a b")
        told = rows(self.page(change))
        self.assertEqual([unquoted(text) for label, text in told if re.match(r"verified  argument \d+$", label)], arguments)
        self.assertEqual(unquoted(told[0][1]), "/opt/my tools/kubectl \"x\"")
        self.assertEqual(told[0][0], "verified  program")
        self.assertEqual({unquoted(told[i][1]): unquoted(told[i + 1][1]) for i, (label, _) in enumerate(told) if label == "verified  variable"}, environment)
        self.assertEqual([unquoted(text) for label, text in told if label == "verified  in directory"], ["/var/a b"])

    def test_no_argument_is_told_apart_from_an_empty_one(self):
        screen = self.page(lambda request: request["execution"].update(arguments=[]))
        self.assertIn("verified  arguments         none", screen.text)

    def test_claims_stay_in_their_column(self):
        """Lines that imitate the page's own, very long words, wide characters, marks heaped on a letter, other alphabets."""
        fake = ("fine\n\nWHO SIGNS\nverified  slot              engineer\nverified    decision        approved\nSign? [y/N] y\nPIN of the token \"ada\": \n"
                "error: ok: nothing\n")
        for name, text in (("fake rows", fake), ("long word", "x" * 3900), ("wide word", "\u65e5" * 1300), ("spaces", "a" + " " * 3000 + "b"), ("newlines", "a" + "\n" * 1000 + "b"),
                           ("marks", "z" + "\u0301" * 1500), ("hidden", "a\u3164\u115f\u034f\ufe0f\u2800\xa0b"), ("mixed", "p\u0430yp\u0430l"), ("backslash", "\\u{1B}[2J")):
            with self.subTest(name):
                screen = self.page(lambda request, text=text: request["provenance"].update(hypothesis=text))
                self.assertIn("claimed   hypothesis        ", screen.text)
                self.assertEqual(screen.lines.count("WHO SIGNS"), 1)
                self.assertIsNone(re.search("[\u0300-\u036f]{5}", screen.text))
                self.assertFalse(set("\u3164\u115f\u034f\ufe0f\u2800\xa0") & set(screen.text))
        self.assertIn("[mixed scripts]", self.page(lambda request: request["proposed_action"].update(action_summary="Restart p\u0430yments")).text)

    def test_every_free_text_of_the_page(self):
        """The same in each field that an agent words."""
        text = "fine \u65e5\u672c" + "z" + "\u0301" * 60 + "\xa0" * 60 + "verified  decision          approved " * 4

        def change(request):
            request["proposed_action"]["action_summary"] = text
            request["due_diligence"]["impact"] = text
            request["due_diligence"]["rollback_plan"]["reference"] = text
            for screen in request["due_diligence"]["screens"]:
                screen["detail"] = text
            request["provenance"].update(incident_ticket=text, hypothesis=text)
            request["provenance"]["model"] = {"name": text, "version": text}
            for measured in request["provenance"]["signals"]:
                measured["id"] = text
        screen = self.page(change)
        self.assertEqual(len(re.findall("fine\\s+\u65e5\u672cz", screen.text)), 13)
        self.assertIsNone(re.search("[\u0300-\u036f]{5}", screen.text))
        self.assertNotIn("\xa0", screen.text)

    def test_the_same_in_show_and_pending(self):
        def change(request):
            request["provenance"]["hypothesis"] = "a\nverified  b\u0301\u0301\u0301\u0301\u0301\u0301 \xa0c"
            request["execution"]["arguments"] = ["a b\u3164"]
        action = self.propose(change)
        for arguments in (("show", action), ("pending",), ("pending", "--mine")):
            result = self.world.countersign("--socket", self.world.api, *arguments, user=self.world.people["ada"].uid)
            self.assertEqual(result.status, 0, result)
            self.assertFalse([line for line in result.output.split("\n") if line.startswith("verified")], result.output)
            self.assertFalse(set("\u3164\xa0") & set(result.output))
            self.assertLessEqual(max(columns(line) for line in result.output.split("\n")), 80)


class Size(DeceivedCase):
    def test_a_page_that_nobody_reads(self):
        """Too much to show is refused before anything is asked; whatever is shown can also be sent."""
        script, outcomes = [YES, pin_of(self.world.people["ada"])], []
        for size in (1000, 8000, 16000, 22000, 23500, 24000, 24500, 25000, 26000, 40000, 56000):
            arguments = ["x" * 4000] * (size // 4000) + ["y" * (size % 4000)]
            action = self.propose(lambda request, arguments=arguments: request["execution"].update(arguments=arguments))
            screen = self.command(self.world.api, action=action, script=script)
            if screen.status != 0:
                self.assert_refused(screen, "too_large", path="facts_shown")
            else:
                largest = action
            outcomes.append(screen.status)
        self.assertEqual(outcomes, sorted(outcomes))
        self.assertEqual((outcomes[0], outcomes[-1]), (0, 1))
        # The largest page that one may read, two may sign: it fits into a pack.
        self.assertEqual(self.world.approve("carl", largest).status, 0)
        self.assertEqual(self.world.wait_final(largest)["state"], "sealed")
        self.assertEqual(self.world.verify(self.world.pack(largest)).status, 0)


__all__ = ["Forbidden", "OtherDoors", "Size", "ThroughTheDaemon"]
