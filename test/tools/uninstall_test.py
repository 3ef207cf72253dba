"""tools/uninstall removes what it is told by the lists of an installation, and nothing else."""
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Uninstall(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build, self.prefix = Path(folder.name) / "build", Path(folder.name) / "a prefix"
        self.build.mkdir()
        for name in ("lib/libx.a", "include/x/x.hpp"):
            file = self.prefix / name
            file.parent.mkdir(parents=True)
            file.write_text("x")
        self.write("install_manifest.txt", [f"{self.prefix}/lib/libx.a", f"{self.prefix}/include/x/x.hpp"])
        self.write("install_folders.txt", [f"{self.prefix}/include/x", f"{self.prefix}/include"])

    def write(self, name, lines):
        (self.build / name).write_text("\n".join(map(str, lines)))  # CMake's manifest ends without a newline

    def run_uninstall(self, *arguments):
        return subprocess.run([ROOT / "tools/uninstall", self.build, *arguments], capture_output=True, text=True,
                              check=False)

    def test_files_and_the_folders_made_for_them_are_removed(self):
        ran = self.run_uninstall(f"{self.prefix}/")
        self.assertEqual((ran.returncode, ran.stderr), (0, "uninstall: 2 files removed\n"))
        self.assertEqual(list(self.prefix.rglob("*")), [self.prefix / "lib"])

    def test_a_folder_with_something_else_in_it_stays(self):
        (self.prefix / "include/other.h").write_text("theirs")
        self.assertEqual(self.run_uninstall().returncode, 0)
        self.assertEqual((self.prefix / "include/other.h").read_text(), "theirs")
        self.assertFalse((self.prefix / "include/x").exists())

    def test_only_what_is_under_the_destdir_of_the_installation_is_removed(self):
        stage = self.build / "stage"
        staged = stage / self.prefix.relative_to("/") / "lib/libx.a"
        staged.parent.mkdir(parents=True)
        staged.write_text("x")
        self.write("install_destdir.txt", [stage])
        self.assertEqual(self.run_uninstall().returncode, 0)
        self.assertFalse(staged.exists())
        self.assertTrue((self.prefix / "lib/libx.a").exists())

    def test_another_prefix_than_the_last_one_is_refused(self):
        ran = self.run_uninstall("/usr/local")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("was not under /usr/local", ran.stderr)
        self.assertTrue((self.prefix / "lib/libx.a").exists())

    def test_a_second_time_there_is_nothing_to_remove(self):
        self.assertEqual(self.run_uninstall().returncode, 0)
        ran = self.run_uninstall()
        self.assertEqual(ran.returncode, 1)
        self.assertIn("nothing was installed from this build", ran.stderr)


if __name__ == "__main__":
    unittest.main()
