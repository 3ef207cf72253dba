"""tools/setup on systems that are played by stand-ins for apt and dpkg: the real ones would change this machine."""
import os
import signal
import stat
import subprocess
import time
import unittest

from tool_test_case import ROOT, ToolTestCase

SETUP = ROOT / "tools" / "setup"
ALL = ("g++", "cmake", "redis-server")
BASIC = ("sh", "awk", "cat", "chmod", "dirname", "env", "rm", "tee", "tr", "true")

# What is installed is a file in $STATE/installed/, what the archive offers one in $STATE/offered/.
STAND_INS = {
    "dpkg-query": 'shift 3; for p; do [ -e "$STATE/installed/$p" ] && echo "installed $p"; done; true',
    "apt-cache": 'shift; for p; do echo "$p:"; [ -e "$STATE/offered/$p" ] && has=1 || has="(none)"\n'
                 'echo "  Candidate: $has"; done',
    "apt-get": 'echo "apt-get $*" >> "$STATE/log"; [ -e "$POLICY" ] && echo "held back" >> "$STATE/log"\n'
               'case $1 in\n'
               '   update) for p in $LATER; do : > "$STATE/offered/$p"; done ;;\n'
               '   install) shift; for p; do [ -e "$STATE/offered/$p" ] && : > "$STATE/installed/$p"; done; true ;;\n'
               'esac',
    "update-rc.d": 'echo "update-rc.d $*" >> "$STATE/log"',
    "service": 'echo "service $*" >> "$STATE/log"',
    "id": 'echo "$USER_ID"',
}


class Setup(ToolTestCase):
    def setUp(self):
        super().setUp()
        for name in ("bin", "installed", "offered"):
            (self.folder / name).mkdir()
        for name in BASIC:
            (self.folder / "bin" / name).symlink_to(subprocess.check_output(["which", name], text=True).strip())
        for name, text in STAND_INS.items():
            self.stand_in(name, text)
        self.policy = self.folder / "policy-rc.d"
        self.list = self.write("packages.txt", "# A comment.\n\ng++  command:g++|clang++  all\n"
                               "cmake command:cmake all\nredis-server command:redis-server tests\n"
                               "clang-19 command:clang-19 fuzz: libFuzzer\n")

    def stand_in(self, name, text="true"):
        self.program(f"bin/{name}", text)

    def on_this_system(self, installed=(), offered=(), without=()):
        for folder, names in (("installed", installed), ("offered", offered)):
            for name in names:
                self.write(f"{folder}/{name}")
        for name in without:
            (self.folder / "bin" / name).unlink()

    def run_setup(self, *options, user=0, later=""):
        environment = {"PATH": str(self.folder / "bin"), "STATE": str(self.folder), "USER_ID": str(user),
                       "LATER": later, "POLICY": str(self.policy), "HOLDFAST_POLICY_RC": str(self.policy),
                       "HOLDFAST_PACKAGES": str(self.list)}
        return subprocess.run(["/bin/sh", str(SETUP), *options], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)

    def succeeds(self, *options, **more):
        ran = self.run_setup(*options, **more)
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def is_told(self, missing, **more):
        """One line says what to install, and nothing is done."""
        ran = self.run_setup(**more)
        self.assertEqual((ran.returncode, self.log), (1, []))
        self.assertEqual(ran.stderr, f"setup: missing: {missing}; install as root, or with sudo: "
                                     f"apt-get install {missing}\n")

    @property
    def log(self):
        return self.read("log").splitlines() if (self.folder / "log").exists() else []

    def installs(self):
        return [line.split("300 ")[1] for line in self.log if line.startswith("apt-get install")]


class WithApt(Setup):
    def test_nothing_is_done_or_said_when_all_is_there(self):
        self.on_this_system(installed=ALL)
        ran = self.run_setup(user=1000)
        self.assertEqual((ran.returncode, ran.stdout + ran.stderr, self.log), (0, "", []))

    def test_only_what_is_missing_is_installed_and_the_index_is_not_read_without_need(self):
        self.on_this_system(installed=("g++",), offered=("cmake", "redis-server"))
        self.succeeds()
        self.assertEqual(self.installs(), ["cmake redis-server"])
        self.assertFalse(any("update -q" in line for line in self.log))

    def test_what_only_fuzzing_needs_is_installed_only_for_it(self):
        self.on_this_system(installed=ALL, offered=("clang-19",))
        self.assertEqual((self.run_setup().returncode, self.installs()), (0, []))
        ran = self.run_setup("fuzz")
        self.assertEqual((ran.returncode, self.installs()), (0, ["clang-19"]), ran.stderr)

    def test_an_index_that_was_never_read_is_read_first(self):
        self.on_this_system(installed=("g++",))
        self.succeeds(later="cmake redis-server")
        self.assertEqual([line.split()[1] for line in self.log if line.startswith("apt-get")], ["update", "install"])

    def test_an_index_that_is_too_old_is_read_again_once(self):
        self.on_this_system(installed=("g++",), offered=("cmake", "redis-server"))
        self.stand_in("apt-get", STAND_INS["apt-get"].replace("install) shift;", "install) [ -n \"$(awk '/update -q/' "
                                                             '"$STATE/log")" ] || exit 100; shift;'))
        self.succeeds()
        self.assertEqual([line.split()[1] for line in self.log if line.startswith("apt-get")],
                         ["install", "update", "install"])

    def test_services_are_held_back_while_apt_runs_and_redis_stays_off(self):
        self.on_this_system(offered=ALL)
        self.succeeds()
        self.assertIn("held back", self.log)
        self.assertFalse(self.policy.exists())
        self.assertIn("update-rc.d redis-server disable", self.log)
        self.assertFalse(any(line.startswith("service") for line in self.log))

    def test_a_policy_that_a_killed_run_left_is_removed_by_the_next_one(self):
        self.on_this_system(offered=ALL)
        self.stand_in("apt-get", "what=$1\n" + STAND_INS["apt-get"] + '\n[ "$what" != install ] || kill -KILL $PPID')
        self.assertEqual(self.run_setup().returncode, -signal.SIGKILL)
        self.assertIn("exit 101", self.policy.read_text())
        (self.folder / "log").unlink()
        said = self.run_setup("--dry-run").stderr
        self.assertIn(f"left {self.policy} behind", said)
        self.assertTrue(self.policy.exists())
        ran = self.run_setup()
        self.assertEqual((ran.returncode, self.log), (0, []), ran.stderr)
        self.assertFalse(self.policy.exists())

    def test_a_redis_that_was_there_before_is_left_alone(self):
        self.on_this_system(installed=("redis-server",), offered=("g++", "cmake"))
        self.succeeds()
        self.assertFalse(any(line.startswith(("update-rc.d", "service")) for line in self.log))

    def test_a_policy_of_the_system_is_left_as_it_is(self):
        self.on_this_system(offered=ALL)
        self.policy.write_text("theirs")
        self.succeeds()
        self.assertEqual(self.policy.read_text(), "theirs")

    def test_a_redis_that_a_policy_of_the_system_let_start_is_stopped_or_said_to_run(self):
        for stop, said in (("true", "its service was stopped"), ("false", "it may run")):
            with self.subTest(stop):
                self.on_this_system(offered=ALL)
                (self.folder / "installed/redis-server").unlink(missing_ok=True)
                self.policy.write_text("theirs")
                self.stand_in("service", f'echo "service $*" >> "$STATE/log"; {stop}')
                ran = self.run_setup()
                self.assertIn("service redis-server stop", self.log)
                self.assertIn(said, ran.stderr)

    def test_the_policy_is_removed_when_apt_fails_too(self):
        self.on_this_system(offered=ALL)
        self.stand_in("apt-get", 'echo "apt-get $*" >> "$STATE/log"; exit 100')
        ran = self.run_setup()
        self.assertEqual(ran.returncode, 1)
        self.assertFalse(self.policy.exists())
        self.assertIn("missing: g++ cmake redis-server; install as root", ran.stderr.splitlines()[-1])

    def test_without_root_and_sudo_one_line_says_what_to_install(self):
        self.on_this_system(installed=("cmake",), offered=("g++", "redis-server"))
        self.is_told("g++ redis-server", user=1000)

    def test_sudo_is_used_when_not_root_and_not_otherwise(self):
        self.on_this_system(installed=("g++", "cmake"), offered=("redis-server",))
        self.stand_in("sudo", '[ "$1" = -n ] && shift; echo "sudo $1" >> "$STATE/log"; exec "$@"')
        self.succeeds(user=1000)
        self.assertIn("sudo env", self.log)
        (self.folder / "installed/redis-server").unlink()
        (self.folder / "log").unlink()
        self.succeeds(user=0)
        self.assertFalse(any(line.startswith("sudo") for line in self.log))

    def test_a_sudo_that_wants_a_password_where_nobody_can_give_it_is_no_sudo(self):
        self.on_this_system(installed=("cmake", "g++"), offered=("redis-server",))
        self.stand_in("sudo", "echo 'a terminal is required' >&2; exit 1")
        self.is_told("redis-server", user=1000)

    def test_a_dry_run_names_what_is_missing_and_changes_nothing(self):
        self.on_this_system(installed=("g++",), offered=("cmake", "redis-server"))
        ran = self.run_setup("--dry-run")
        self.assertEqual((ran.returncode, ran.stderr, self.log), (0, "setup: missing: cmake redis-server\n", []))

    def test_a_package_that_the_archive_lacks_may_be_there_by_other_means(self):
        self.on_this_system(installed=("g++",), offered=("redis-server",))
        self.stand_in("cmake")
        self.succeeds()
        self.assertEqual(self.installs(), ["redis-server"])


class WithoutApt(Setup):
    def test_it_goes_on_when_the_tools_are_there(self):
        self.on_this_system(without=("apt-get", "apt-cache", "dpkg-query"))
        for name in ("clang++", "cmake", "redis-server"):
            self.stand_in(name)
        ran = self.run_setup()
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_it_stops_with_one_line_that_names_what_is_missing(self):
        self.on_this_system(without=("apt-get", "apt-cache", "dpkg-query"))
        self.stand_in("cmake")
        self.list.write_text(self.list.read_text() + "libfmt-dev module:fmt x\nlibcli11-dev header:CLI/CLI.hpp x\n")
        ran = self.run_setup()
        self.assertEqual((ran.returncode, len(ran.stderr.splitlines())), (1, 1))
        self.assertIn("missing: g++ redis-server libfmt-dev libcli11-dev", ran.stderr)


class HereAndNow(unittest.TestCase):
    def test_it_is_quick_where_all_is_there(self):
        start = time.monotonic()
        ran = subprocess.run([str(SETUP), "--dry-run"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             check=False)
        seconds = time.monotonic() - start
        self.assertEqual(ran.returncode, 0, ran.stderr)
        if ran.stderr == "":
            self.assertLess(seconds, 1.0)

    def test_the_programs_of_this_folder_can_be_run(self):
        for name in ("setup", "tidy", "run_tests"):
            self.assertTrue((ROOT / "tools" / name).stat().st_mode & stat.S_IXUSR, name)
            self.assertTrue(os.access(ROOT / "tools" / name, os.X_OK), name)


if __name__ == "__main__":
    unittest.main(verbosity=1)
