"""Runs a module of CPython's own tests, case by case: cases.py MODULE [AFTER].

It prints "conformance: begin CASE" and then "conformance: OUTCOME CASE" for each.
With AFTER it goes on with what comes after that case.
"""

import importlib
import os
import sys
import unittest

from test import support
from test.support import os_helper

support.use_resources = []  # as python3 -m test without -u
printed = os.dup(1)
program = os.getpid()


def say(word, name):
    """Prints a line of its own, whatever a test has printed before."""
    if os.getpid() == program:  # not in a child that a test has forked
        os.write(printed, f"\nconformance: {word} {name.replace(' ', '_')}\n".encode())


class Result(unittest.TestResult):
    """Prints what becomes of the cases."""

    def startTest(self, test):
        super().startTest(test)
        self.outcome = "pass"
        say("begin", test.id())

    def stopTest(self, test):
        super().stopTest(test)
        say(self.outcome, test.id())

    def fail(self, test, error):
        self.outcome = "fail"
        sys.stderr.write(self._exc_info_to_string(error, test))
        sys.stderr.flush()
        if not isinstance(test, unittest.TestCase):  # setUpClass and its like
            say("fail", test.id())

    def addError(self, test, error):
        self.fail(test, error)

    def addFailure(self, test, error):
        self.fail(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.fail(test, error)

    def addSkip(self, test, reason):
        self.outcome = "skip"
        sys.stderr.write(f"{test.id()}: {reason}\n")
        if not isinstance(test, unittest.TestCase):
            say("skip", test.id())

    def addExpectedFailure(self, test, error):
        pass

    def addUnexpectedSuccess(self, test):
        self.outcome = "fail"


class After:
    """Matches the cases that come after one."""

    def __init__(self, name):
        self.name, self.reached = name, False

    def __call__(self, test):
        matches, self.reached = self.reached, self.reached or test.id() == self.name
        return matches


def main():
    module = importlib.import_module(sys.argv[1])
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    if len(sys.argv) > 2:
        support._filter_suite(suite, After(sys.argv[2]))
    with os_helper.temp_cwd("conformance", quiet=True):
        os_helper.SAVEDCWD = os.getcwd()
        suite(Result())
    sys.stderr.flush()
    os._exit(0)  # threads that tests have left behind


if __name__ == "__main__":
    main()
