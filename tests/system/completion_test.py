"""Man pages and shell completion: made of what --help prints, and nothing of it is left out."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import BIN, program, run  # noqa: E402

SHELLS = ("bash", "zsh", "fish")


def help_of(*words):
    return run([program("logvault"), *words, "--help"], expect=0).text


def subcommands(text):
    part = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  ([a-z-]+) ", part.group(1), re.M) if part else []


def options(text):
    """Each option's names, as --help lists them: [["-s", "--since"], ["--by"]]."""
    part = re.search(r"^Options:\n((?:  .*\n)+)", text, re.M)
    return [m.split(",") for m in re.findall(r"^  (-\S+)", part.group(1), re.M)]


def commands(path=()):
    """Every command and its options, from --help alone: {("pki", "issue"): [[...]]}."""
    text = help_of(*path)
    found = {path: options(text)}
    for name in subcommands(text):
        found.update(commands((*path, name)))
    return found


class CompletionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = commands()
        cls.folder = tempfile.mkdtemp(prefix="logvault-completion-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.script = {}
        for shell in SHELLS:
            cls.script[shell] = os.path.join(cls.folder, shell)
            with open(cls.script[shell], "wb") as file:
                file.write(run([program("logvault"), "completion", shell], expect=0).out)

    def test_the_walk_through_help_found_the_contract(self):
        self.assertLess({("query",), ("tail",), ("pki", "issue"), ("hold", "release")}, set(self.commands))
        self.assertIn(["-s", "--since"], self.commands[("query",)])

    def complete(self, line):
        """What bash offers behind `line`."""
        words = line.split(" ")
        script = f'source {self.script["bash"]}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _logvault; printf "%s\\n" "${{COMPREPLY[@]}}"'
        answer = run(["bash", "--norc", "-c", script, "bash", *words], expect=0)
        self.assertEqual("", answer.err)
        return [w for w in answer.text.split("\n") if w]

    def test_bash_offers_every_command_and_option(self):
        for path, names in self.commands.items():
            line = " ".join(("logvault", *path))
            with self.subTest(command=line):
                nested = {p[-1] for p in self.commands if len(p) == len(path) + 1 and p[: len(path)] == path}
                offered = set(self.complete(line + " "))
                self.assertLessEqual(nested, offered)
                self.assertLessEqual({n for option in names for n in option}, offered)

    def test_bash_offers_what_fits(self):
        self.assertEqual(["query"], self.complete("logvault q"))
        self.assertEqual({"--since", "--source", "--strict"}, set(self.complete("logvault query --s")))
        self.assertEqual(["text", "json", "csv", "raw"], self.complete("logvault query -o "))
        self.assertEqual(["json"], self.complete("logvault query xp_cmdshell -o js"))
        self.assertEqual(["json"], self.complete("logvault query --output = j"))
        self.assertEqual(["investigator"], self.complete("logvault pki issue DIR --role inv"))
        self.assertEqual([], self.complete("logvault query --tz "))
        self.assertEqual(["--no-index"], self.complete("logvault --vault query:1 query --no"))
        self.assertEqual(["--no-index"], self.complete("logvault query --offline d --no"))
        self.assertEqual(["release"], self.complete("logvault hold rel"))

    def test_bash_offers_files_and_folders_where_they_are_meant(self):
        inside = os.path.join(self.folder, "in")
        os.makedirs(os.path.join(inside, "adir"), exist_ok=True)
        with open(os.path.join(inside, "afile"), "w", encoding="utf-8"):
            pass
        self.assertEqual({f"{inside}/adir"}, set(self.complete(f"logvault --offline {inside}/a")))
        self.assertEqual({f"{inside}/adir", f"{inside}/afile"}, set(self.complete(f"logvault checkpoint --out {inside}/a")))

    def test_bash_knows_it_by_name(self):
        answer = run(["bash", "--norc", "-c", f'source {self.script["bash"]}; complete -p logvault'], expect=0)
        self.assertIn("_logvault", answer.text)

    def test_zsh_and_fish_name_every_command_and_option(self):
        for shell in ("zsh", "fish"):
            with open(self.script[shell], encoding="utf-8") as file:
                text = file.read()
            for path, names in self.commands.items():
                for option in names:
                    last = option[-1]
                    wanted = last if shell == "zsh" else ("-l " + last[2:] if last.startswith("--") else "-s " + last[1:])
                    self.assertIn(wanted, text, f"{shell}: {path} {option}")
                if path:
                    self.assertRegex(text, rf"\b{re.escape(path[-1])}\b")

    def test_fish_offers_what_fits(self):
        if shutil.which("fish") is None:
            self.skipTest("fish is not installed")
        for line, expected in (("logvault qu", {"query"}), ("logvault query -o ", {"text", "json", "csv", "raw"}),
                               ("logvault query --s", {"--since", "--source", "--strict"}), ("logvault hold rel", {"release"}),
                               ("logvault pki issue --role inv", {"investigator"})):
            with self.subTest(line=line):
                answer = run(["fish", "--no-config", "-c", f"source {self.script['fish']}; complete -C '{line}'"], expect=0, env={"HOME": self.folder})
                self.assertEqual(expected, {l.split("\t")[0] for l in answer.text.split("\n") if l})

    def test_zsh_and_fish_can_read_theirs(self):
        for shell in ("zsh", "fish"):
            if shutil.which(shell) is None:
                print(f"{shell} is not installed: its script is not read by it", file=sys.stderr)
                continue
            with self.subTest(shell=shell):
                self.assertEqual("", run([shell, "-n", self.script[shell]], expect=0).err)


class ManPageTest(unittest.TestCase):
    def page(self, *argv):
        return run([program(argv[0]), *argv[1:]], expect=0).text

    def plain(self, page):
        return page.replace("\\-", "-").replace("\\fB", "").replace("\\fI", "").replace("\\fR", "").replace("\\e", "\\")

    def test_every_command_and_option_of_help_is_in_it(self):
        page = self.plain(self.page("logvault", "man-page"))
        for path, names in commands().items():
            section = page if not path else page.split(".SS logvault " + " ".join(path) + "\n")[1].split(".SS ")[0]
            for option in names:
                self.assertIn("\n" + ", ".join(option), section, f"{path} {option}")

    def test_daemons_have_theirs(self):
        for daemon, words in (("logvault-collector", ("--init", "--check", "--config")), ("logvault-forwarder", ("--drain", "--timeout", "status"))):
            page = self.plain(self.page(daemon, "--man-page"))
            self.assertTrue(page.startswith(f".TH {daemon} 8 "), page[:80])
            for word in words:
                self.assertIn(word, page)
            self.assertIn(" ".join(run([program(daemon), "--help"], expect=0).text.split("\n")[0].split()[:4]), page)

    def test_man_can_set_it(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        for argv in (("logvault", "man-page"), ("logvault-collector", "--man-page"), ("logvault-forwarder", "--man-page")):
            with self.subTest(argv=argv):
                set_page = run(["groff", "-man", "-ww", "-Tascii", "-P-cbou"], stdin=self.page(*argv).encode(), expect=0)
                self.assertEqual("", set_page.err)
                self.assertIn("SYNOPSIS", set_page.text)


class InstallTest(unittest.TestCase):
    def test_programs_pages_and_scripts_are_put_where_they_are_looked_for(self):
        build = os.path.dirname(BIN.rstrip("/"))
        with tempfile.TemporaryDirectory() as prefix:
            done = subprocess.run(["cmake", "--install", build, "--prefix", prefix], capture_output=True, text=True, check=False)
            self.assertEqual(0, done.returncode, done.stderr)
            for path in ("bin/logvault", "bin/logvault-collector", "bin/logvault-forwarder", "share/man/man1/logvault.1",
                         "share/man/man8/logvault-collector.8", "share/man/man8/logvault-forwarder.8",
                         "share/bash-completion/completions/logvault", "share/zsh/site-functions/_logvault",
                         "share/fish/vendor_completions.d/logvault.fish"):
                self.assertGreater(os.path.getsize(os.path.join(prefix, path)), 100, path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
