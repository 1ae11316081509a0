"""The tree keeps its shape; and each check that says so is shown to fail on a small tree that breaks it.

  python3 tests/layers/structure_test.py            checks the project
  python3 tests/layers/structure_test.py --record   rewrites baseline.json: only ever to lower a figure
"""

import json
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import checks  # noqa: E402
import cpp_text  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
BASELINE = os.path.join(HERE, "baseline.json")


class ProjectTest(unittest.TestCase):
    """The real tree."""

    @classmethod
    def setUpClass(cls):
        cls.tree = checks.Tree(ROOT)

    def check(self, findings):
        self.assertEqual([], findings, "\n" + "\n".join(findings))

    def test_includes_point_down(self):
        self.check(checks.includes_point_down(self.tree))

    def test_outside_libraries_stay_in_their_layer(self):
        self.check(checks.outside_libraries_stay_in_their_layer(self.tree))

    def test_targets_link_down(self):
        self.check(checks.targets_link_down(self.tree))

    def test_everything_is_listed(self):
        self.check(checks.everything_is_listed(self.tree))

    def test_files_say_what_they_are(self):
        self.check(checks.files_say_what_they_are(self.tree))

    def test_nothing_grows(self):
        with open(BASELINE, encoding="utf-8") as file:
            self.check(checks.nothing_grows(self.tree, json.load(file)))

    def test_nothing_is_left_over(self):
        self.check(checks.nothing_is_left_over(self.tree))


class CheckTest(unittest.TestCase):
    """Each check against a tree of a few files: quiet on the good one, and it names what is wrong in the bad one."""

    GOOD = {
        "CMakeLists.txt": "add_subdirectory(common)\nadd_subdirectory(evidence)\nadd_subdirectory(tests)\n",
        "common/CMakeLists.txt": "logvault_library(common SOURCES status.cc)\n",
        "common/status.h": "// Status.\n#pragma once\n",
        "common/status.cc": '// Status.\n#include "common/status.h"\n',
        "evidence/CMakeLists.txt": "logvault_library(evidence SOURCES hash.cc DEPS logvault_common)\n",
        "evidence/hash.cc": '// Hashes.\n#include "common/status.h"\n#include <openssl/evp.h>\nint F() {\n  return 1;\n}\n',
        "tests/CMakeLists.txt": "foreach(layer evidence)\n  add_subdirectory(${layer})\nendforeach()\n",
        "tests/evidence/CMakeLists.txt": "logvault_test(hash_test SOURCES hash_test.cc)\n",
        "tests/evidence/hash_test.cc": '// Claims.\n#include "common/status.h"\n',
    }

    def tree(self, **changes):
        """GOOD with `changes`: name with __ for / and _dot_ for its last dot."""
        files = dict(self.GOOD)
        for name, text in changes.items():
            files[name.replace("__", "/").replace("_dot_", ".")] = text
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in files.items():
            path = os.path.join(folder.name, "tree", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return checks.Tree(os.path.join(folder.name, "tree"))

    def only(self, findings, *words):
        self.assertEqual(1, len(findings), findings)
        for word in words:
            self.assertIn(word, findings[0])

    def test_the_good_tree_is_good(self):
        tree = self.tree()
        for check in (
            checks.includes_point_down,
            checks.outside_libraries_stay_in_their_layer,
            checks.targets_link_down,
            checks.everything_is_listed,
            checks.files_say_what_they_are,
            checks.nothing_is_left_over,
        ):
            self.assertEqual([], check(tree), check.__name__)
        self.assertEqual([], checks.nothing_grows(tree, {}))

    def test_an_upward_include_is_found(self):
        tree = self.tree(common__status_dot_cc='// S.\n#include "evidence/hash.h"\n')
        self.only(checks.includes_point_down(tree), "common/status.cc:2", "evidence")

    def test_a_commented_include_is_not_one(self):
        tree = self.tree(common__status_dot_cc='// S.\n// #include "evidence/hash.h"\n#include "common/status.h"\n')
        self.assertEqual([], checks.includes_point_down(tree))

    def test_the_forwarder_may_not_see_storage(self):
        tree = self.tree(forwarder__a_dot_cc='// A.\n#include "storage/vault.h"\n')
        self.only(checks.includes_point_down(tree), "forwarder/ may not include storage/")

    def test_the_cli_may_not_see_the_server(self):
        tree = self.tree(cli__a_dot_cc='// A.\n#include "server/service.h"\n')
        self.only(checks.includes_point_down(tree), "cli/ may not include server/")

    def test_grpc_outside_the_edge_is_found(self):
        tree = self.tree(storage__a_dot_cc="// A.\n#include <grpcpp/grpcpp.h>\n")
        self.only(checks.outside_libraries_stay_in_their_layer(tree), "storage/a.cc:2", "grpcpp")

    def test_a_generated_service_outside_the_edge_is_found(self):
        tree = self.tree(cli__a_dot_cc='// A.\n#include "proto/logvault.grpc.pb.h"\n')
        self.only(checks.outside_libraries_stay_in_their_layer(tree), "brings gRPC into cli/")

    def test_rocksdb_outside_storage_is_found(self):
        tree = self.tree(query__a_dot_cc="// A.\n#include <rocksdb/db.h>\n")
        self.only(checks.outside_libraries_stay_in_their_layer(tree), "rocksdb")

    def test_json_in_a_header_is_found(self):
        tree = self.tree(common__status_dot_h="// S.\n#pragma once\n#include <nlohmann/json.hpp>\n")
        self.only(checks.outside_libraries_stay_in_their_layer(tree), "JSON stays in .cc")

    def test_io_in_evidence_is_found(self):
        tree = self.tree(evidence__hash_dot_cc="// H.\n#include <fstream>\n")
        self.only(checks.outside_libraries_stay_in_their_layer(tree), "does no I/O")

    def test_an_upward_link_is_found(self):
        tree = self.tree(forwarder__CMakeLists_dot_txt="logvault_library(forwarder DEPS logvault_net logvault_query)\n")
        self.only(checks.targets_link_down(tree), "logvault_query")

    def test_a_source_nobody_builds_is_found(self):
        tree = self.tree(evidence__lost_dot_cc="// L.\n")
        self.only(checks.everything_is_listed(tree), "evidence/lost.cc")

    def test_a_test_commented_out_of_the_build_is_found(self):
        tree = self.tree(tests__evidence__CMakeLists_dot_txt="# logvault_test(hash_test SOURCES hash_test.cc)\n")
        self.only(checks.everything_is_listed(tree), "hash_test.cc")

    def test_a_loop_in_cmake_lists_what_it_names(self):
        loop = "foreach(name {})\n  logvault_test(${{name}}_test SOURCES ${{name}}_test.cc)\nendforeach()\n"
        self.assertEqual([], checks.everything_is_listed(self.tree(tests__evidence__CMakeLists_dot_txt=loop.format("hash note"))))
        self.only(checks.everything_is_listed(self.tree(tests__evidence__CMakeLists_dot_txt=loop.format("note"))), "hash_test.cc")

    def test_a_header_nobody_includes_is_found(self):
        tree = self.tree(evidence__lost_dot_h="// L.\n#pragma once\n")
        self.only(checks.everything_is_listed(tree), "nothing includes it")

    def test_a_folder_the_build_never_reads_is_found(self):
        tree = self.tree(tests__CMakeLists_dot_txt="foreach(layer common)\nendforeach()\n")
        self.only(checks.everything_is_listed(tree), "tests/evidence", "never read")

    def test_a_python_test_nobody_runs_is_found(self):
        tree = self.tree(tests__evidence__lost_test_dot_py='"""L."""\n')
        self.only(checks.everything_is_listed(tree), "lost_test.py")

    def test_a_file_without_its_idea_is_found(self):
        tree = self.tree(evidence__hash_dot_cc='#include "common/status.h"\n')
        self.only(checks.files_say_what_they_are(tree), "evidence/hash.cc:1")

    def test_a_long_file_is_found(self):
        tree = self.tree(evidence__hash_dot_cc="// H.\n" + "int x;\n" * 500)
        self.only(checks.nothing_grows(tree, {}), "501 lines, may have 500")

    def test_a_recorded_file_may_stay_but_not_grow(self):
        tree = self.tree(evidence__hash_dot_cc="// H.\n" + "int x;\n" * 600)
        self.assertEqual([], checks.nothing_grows(tree, {"files": {"evidence/hash.cc": 601}}))
        self.only(checks.nothing_grows(tree, {"files": {"evidence/hash.cc": 600}}), "601 lines, may have 600")

    def test_a_record_must_follow_what_shrank(self):
        tree = self.tree()
        self.only(checks.nothing_grows(tree, {"functions": {"evidence/hash.cc F": 70}}), "lower the record")

    def test_a_long_function_is_found(self):
        tree = self.tree(evidence__hash_dot_cc="// H.\nint F(int a) {\n" + "  a++;\n" * 40 + "}\n")
        self.only(checks.nothing_grows(tree, {}), "evidence/hash.cc F: 42 lines, may have 40")

    def test_what_is_left_for_later_is_found(self):
        tree = self.tree(evidence__hash_dot_cc="// TO" "DO: later.\n")
        self.only(checks.nothing_is_left_over(tree), "left for later")

    def test_a_disabled_test_is_found(self):
        tree = self.tree(tests__evidence__hash_test_dot_cc="// C.\nTEST(A, DISABLED_" "B) {}\n")
        self.only(checks.nothing_is_left_over(tree), "does not run")

    def test_a_path_of_this_machine_is_found(self):
        self.only(checks.nothing_is_left_over(self.tree(README_dot_md="see /ho" "me/someone/x\n")), "path of one machine")
        tree = self.tree()
        tree.files["docs/a.md"] = f"see {os.path.dirname(tree.root)}/other\n".encode()
        self.only(checks.nothing_is_left_over(tree), "path of one machine")


class CppTextTest(unittest.TestCase):
    """Finding functions without a compiler."""

    def lengths(self, text):
        return {name: lines for _, lines, name in cpp_text.functions(text)}

    def test_functions_methods_and_constructors(self):
        self.assertEqual(
            {"F": 3, "S": 3, "Get": 1, "A::B": 4},
            self.lengths(
                "namespace a {\nstatic int F(int x) {\n  return x;\n}\n"
                "struct S final : T {\n  explicit S(int x)\n      : a_{x}, b_(x) {\n  }\n  int Get() const { return 1; }\n"
                "  int v = 3;\n  std::array<int, 2> w{1, 2};\n};\n"
                "int A::B(int x,\n         int y) {\n  if (x) { return y; }\n}\n}  // namespace a\n"
            ),
        )

    def test_braces_in_literals_and_comments_do_not_count(self):
        self.assertEqual({"F": 4}, self.lengths('int F() {\n  // }\n  return "}"[0] + \'}\' + 1\'000;\n}\n'))

    def test_initialised_tables_are_not_functions(self):
        self.assertEqual({}, self.lengths("constexpr Row kRows[] = {\n  {Make(1), 2},\n};\nenum class E { kA };\n"
                                          "constexpr auto kMore = Array<Row>({\n  {1},\n});\n"))


def record():
    with open(BASELINE, "w", encoding="utf-8") as file:
        json.dump(checks.measured(checks.Tree(ROOT)), file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    else:
        unittest.main(verbosity=1)
