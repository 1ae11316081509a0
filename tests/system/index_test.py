"""The index behind the real programs: built by itself, the same answers with and without it, verified and built anew."""

import os
import random
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402

FOUND, NO_MATCH, USAGE, INTEGRITY = 0, 1, 2, 4
LINES = 150_000  # about 21 MB: a segment and a part of the next


def syslog_lines(seed, lines):
    """Lines of few words and many numbers, each with an address of its own; and the middle one's address."""
    pick = random.Random(seed)
    users = ["root", "admin", "ops", "tomcat", "postgres"]
    out = []
    for i in range(lines):
        address = f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"
        out.append(
            f"2024-07-11T{i // 7200 % 24:02}:{i // 120 % 60:02}:{i % 60:02}Z geo01 sshd[{pick.randrange(1000, 60000)}]: Failed password "
            f"for invalid user {pick.choice(users)}-{pick.randrange(1 << 20):x} from {address} port {pick.randrange(65536)} ssh2\n"
        )
    middle = lines // 2
    return "".join(out).encode(), f"10.{middle >> 16 & 255}.{middle >> 8 & 255}.{middle & 255}"


def pruned_by_index(answer):
    found = re.search(r"(\d+) by index", answer.err)
    return int(found.group(1)) if found else 0


class IndexTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.daemon = cls.lab.collector()
        geo01 = cls.lab.host("geo01")
        content, cls.needle = syslog_lines(1, LINES)
        cls.lines = content.decode().splitlines()
        geo01.file("syslog", "syslog", content)
        geo01.drain()
        geo01.write("second.log", b"")  # what comes after the first receipts
        cls.geo01 = geo01
        cls.wait_for_index()

    @classmethod
    def wait_for_index(cls):
        wait_until(lambda: pruned_by_index(cls.lab.cli("query", cls.needle)) > 0, "the index", cls.daemon)

    def messages(self, *arguments):
        answer = self.lab.cli("query", *arguments, "-o", "json")
        self.assertIn(answer.code, (FOUND, NO_MATCH), str(answer))
        return [o["message"] for o in answer.objects]

    def test_a_needle_is_found_and_most_is_not_read(self):
        answer = self.lab.cli("query", self.needle, expect=FOUND)
        self.assertIn(self.needle, answer.text)
        self.assertEqual(1, len(answer.text.splitlines()))
        self.assertGreater(pruned_by_index(answer), 10)

    def test_the_same_with_the_index_without_it_and_strict(self):
        line = self.lines[12_345]
        word = re.search(r"user (\S+) from", line).group(1)
        for term in (word, word[3:-1], f'"{line[40:75]}"', self.needle, "10.0.48.0/24", "nothing-like-it"):
            expected = self.messages(term)
            self.assertEqual(expected, self.messages(term, "--no-index"), term)
            self.assertEqual(expected, self.messages(term, "--strict"), term)
        self.assertEqual(sum(1 for x in self.lines if word in x), len(self.messages(f'"{word}"')))
        self.assertEqual(256, len(self.messages("10.0.48.0/24")))

    def test_it_is_verified_from_a_folder_beside_the_collector(self):
        answer = self.lab.offline("verify", "--index", credentials=self.lab.analyst, expect=FOUND)
        self.assertRegex(answer.text, r"index verified: [1-9]\d* segments built anew and the same")

    def test_it_is_verified_over_the_network(self):
        answer = self.lab.cli("verify", "--index", expect=FOUND)
        self.assertRegex(answer.text, r"index verified: [1-9]\d* segments built anew and the same")

    def test_offline_uses_it_too(self):
        answer = self.lab.offline("query", self.needle, credentials=self.lab.analyst, expect=FOUND)
        self.assertGreater(pruned_by_index(answer), 10)

    # ---- receipts

    def receipt(self, *arguments):
        path = self.lab.path("receipt")
        self.lab.cli("query", *arguments, "--receipt", path, expect=FOUND)
        return path

    def test_a_receipt_is_checked_by_asking_again(self):
        path = self.receipt("-S", "syslog", self.needle)
        answer = self.lab.cli("receipt", "--check", path, expect=FOUND)
        self.assertIn(self.needle, answer.text)
        # More arrives that matches too: the receipt is about its tree.
        self.geo01.file("second", "plain", f"from {self.needle} again\n".encode() * 3)
        self.geo01.drain()
        self.assertEqual(4, self.lab.count(self.needle))
        self.lab.cli("receipt", "--check", path, expect=FOUND)

    def test_a_receipt_of_a_count(self):
        self.lab.cli("receipt", "--check", self.receipt("-S", "syslog", "failed", "--count"), expect=FOUND)
        self.lab.cli("receipt", "--check", self.receipt("-S", "syslog", "--count"), expect=FOUND)

    def test_receipts_of_piped_queries(self):
        for query in ("failed | stats count() by (host)", "failed | top 3 app", f"{self.needle} | context 1", "failed | timeline 1h",
                      f"{self.needle} | events", f"{self.needle} | fields time, src.ip", "failed | sort time desc | limit 3"):
            with self.subTest(query=query):
                path = self.receipt("-S", "syslog", query)
                self.lab.cli("receipt", "--check", path, expect=FOUND)
                self.lab.offline("receipt", "--check", path, credentials=self.lab.analyst, expect=FOUND)

    def test_a_receipt_of_a_count_of_rows_states_it(self):
        path = self.receipt("-S", "syslog", "failed | uniq host, source", "--count")
        answer = self.lab.cli("receipt", "--check", path, expect=FOUND)
        self.assertRegex(answer.text, r"(?m)^rows +1$")

    def test_a_receipt_is_checked_on_a_folder(self):
        path = self.receipt("-S", "syslog", self.needle, "--context", "2", "-o", "json")
        answer = self.lab.offline("receipt", "--check", path, credentials=self.lab.analyst, expect=FOUND)
        self.assertIn("the same: ", answer.err)
        # Of a vault that is another one, or went on differently.
        other = Lab(self)
        other.collector()
        refused = self.lab.offline("receipt", "--check", path, vault_dir=other.vault_dir, credentials=self.lab.analyst, expect=INTEGRITY)
        self.assertNotIn("the same", refused.err)

    def test_an_altered_receipt(self):
        path = self.receipt(self.needle)
        with open(path, "rb") as file:
            good = file.read()
        for place in range(25, len(good) - 1, max(1, len(good) // 60)):
            bad = bytearray(good)
            bad[place] ^= 1
            with open(path, "wb") as file:
                file.write(bad)
            self.lab.cli("receipt", "--check", path, expect=INTEGRITY)
        for bad in (good[:-1], good + b"x", good[: len(good) // 2]):
            with open(path, "wb") as file:
                file.write(bad)
            self.lab.cli("receipt", "--check", path, expect=INTEGRITY)
        with open(path, "wb") as file:
            file.write(b"something else\n")
        self.lab.cli("receipt", "--check", path, expect=USAGE)

    def test_a_folder_signs_nothing(self):
        self.lab.offline("query", self.needle, "--receipt", self.lab.path("none"), credentials=self.lab.analyst, expect=USAGE)
        self.assertFalse(os.path.exists(self.lab.path("none")))


if __name__ == "__main__":
    unittest.main()
