"""tools/uninstall removes what it is told by the lists of an installation, and nothing else."""
import subprocess
import unittest

from tool_test_case import ROOT, ToolTestCase


class Uninstall(ToolTestCase):
    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "a prefix"
        self.write("a prefix/lib/libx.a", "x")
        self.write("a prefix/include/x/x.hpp", "x")
        self.list("install_manifest.txt", f"{self.prefix}/lib/libx.a", f"{self.prefix}/include/x/x.hpp")
        self.list("install_folders.txt", f"{self.prefix}/include/x", f"{self.prefix}/include")

    def list(self, name, *lines):
        self.write(f"build/{name}", "\n".join(map(str, lines)))  # CMake's manifest ends without a newline

    def run_uninstall(self, *arguments):
        command = [ROOT / "tools/uninstall", self.folder / "build", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_files_and_the_folders_made_for_them_are_removed_once(self):
        ran = self.run_uninstall(f"{self.prefix}/")
        self.assertEqual((ran.returncode, ran.stderr), (0, "uninstall: 2 files removed\n"))
        self.assertEqual(list(self.prefix.rglob("*")), [self.prefix / "lib"])
        again = self.run_uninstall()
        self.assertEqual(again.returncode, 1)
        self.assertIn("nothing was installed from this build", again.stderr)

    def test_a_folder_with_something_else_in_it_stays(self):
        self.write("a prefix/include/other.h", "theirs")
        self.assertEqual(self.run_uninstall().returncode, 0)
        self.assertEqual(self.read("a prefix/include/other.h"), "theirs")
        self.assertFalse((self.prefix / "include/x").exists())

    def test_only_what_is_under_the_destdir_of_the_installation_is_removed(self):
        stage = self.folder / "stage"
        staged = self.write(stage / self.prefix.relative_to("/") / "lib/libx.a", "x")
        self.list("install_destdir.txt", stage)
        self.assertEqual(self.run_uninstall().returncode, 0)
        self.assertFalse(staged.exists())
        self.assertTrue((self.prefix / "lib/libx.a").exists())

    def test_another_prefix_than_the_last_one_is_refused(self):
        ran = self.run_uninstall("/usr/local")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("was not under /usr/local", ran.stderr)
        self.assertTrue((self.prefix / "lib/libx.a").exists())


if __name__ == "__main__":
    unittest.main()
