#!/usr/bin/env python3
"""Every example of docs/query.md, run over the sample logs of deploy/samples: its output is what the page says.

An example is a fenced block of the page that begins with `$ logvault`; what follows is all of its standard output.
`examples_test.py --write` puts what the programs say now into the page, to be read before it is committed.
"""

import os
import re
import shlex
import shutil
import sys
import unittest

from lab import ROOT, Lab, run, program

PAGE = os.path.join(ROOT, "docs", "query.md")
SAMPLES = os.path.join(ROOT, "deploy", "samples")
MIDNIGHT_AFTER = 1720742400  # 2024-07-12: the files name no year, it comes from their time
EXAMPLES_MIN = 30
INDICATORS = "# what the threat report named\n203.0.113.0/24\n198.51.100.23\n"

HOSTS = {
    "geo01": (("syslog", "syslog"), ("audit.log", "auditd"), ("geoserver.log", "geoserver"), ("access.log", "access")),
    "web01": (("syslog", "syslog"), ("audit.log", "auditd"), ("access.log", "access")),
    "sql01": (("ERRORLOG", "sqlserver"),),
}


def examples(text):
    """(command line, output, where the output stands) of each."""
    for block in re.finditer(r"^```\n\$ (logvault [^\n]*)\n(.*?)^```$", text, re.M | re.S):
        yield block.group(1), block.group(2), block.span(2)


def sample_vault(test):
    lab = Lab(test)
    lab.collector()
    for name, files in HOSTS.items():
        host = lab.host(name)
        for file, format in files:
            path = host.path(file)
            shutil.copy(os.path.join(SAMPLES, name, file), path)
            os.utime(path, (MIDNIGHT_AFTER, MIDNIGHT_AFTER))
            source = {"ERRORLOG": "mssql"}.get(file, file.removesuffix(".log"))
            host.source(source, type="file", format=format, path=path, timezone="UTC")
        host.drain()
    with open(lab.path("iocs.txt"), "w", encoding="utf-8") as file:
        file.write(INDICATORS)
    return lab


def output_of(lab, command):
    words = shlex.split(command)[1:]
    words = [word.replace("@iocs.txt", "@" + lab.path("iocs.txt")) for word in words]
    answer = run([program("logvault"), *words], env={
        **lab.environment, "LOGVAULT_VAULT": lab.query, "LOGVAULT_CREDENTIALS": lab.analyst
    })
    if answer.code not in (0, 1):
        raise AssertionError(f"{command}\n{answer}")
    return answer.text


class ExamplesTest(unittest.TestCase):
    def test_each_example_of_the_page_gives_what_the_page_says(self):
        with open(PAGE, encoding="utf-8") as file:
            found = list(examples(file.read()))
        self.assertGreaterEqual(len(found), EXAMPLES_MIN)
        lab = sample_vault(self)
        for command, stated, _ in found:
            with self.subTest(command=command):
                self.assertEqual(output_of(lab, command), stated)
        print(f"{len(found)} examples")


def write():
    class Keeper:
        def addCleanup(self, close):
            self.close = close

    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    keeper = Keeper()
    lab = sample_vault(keeper)
    try:
        for command, _, (begin, end) in reversed(list(examples(text))):
            text = text[:begin] + output_of(lab, command) + text[end:]
    finally:
        keeper.close()
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
