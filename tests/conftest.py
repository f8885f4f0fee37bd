"""What every test starts from: an environment without settings, and skips that can be forbidden."""

import os

import pytest

_NO_SKIP = os.environ.get("AUTHPIPE_TEST_NO_SKIP") == "1"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person at the keyboard reaches a test; what tests themselves read stays."""
    for name in list(os.environ):
        if name.startswith("AUTHPIPE_") and not name.startswith("AUTHPIPE_TEST_"):
            monkeypatch.delenv(name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Turn a skip into a failure where nothing may be skipped."""
    outcome = yield
    report = outcome.get_result()
    if _NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = call.excinfo.value if call.excinfo else "no reason given"
        report.longrepr = f"{item.nodeid} was skipped, and AUTHPIPE_TEST_NO_SKIP forbids that: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """The same for a file that skips itself while it is collected."""
    outcome = yield
    report = outcome.get_result()
    if _NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped itself: {report.longrepr}"
