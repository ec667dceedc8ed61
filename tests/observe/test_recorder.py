"""The recorder: what it is told comes into the live logs, the delivered log files, the metrics and the recent requests."""

import gzip
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lb.http.record import ConnectionRecord, Origin
from lb.model.names import load_balancer_label
from lb.observe.metrics.collector import Metrics
from lb.observe.recorder import Recorder
from lb.routing.plan import Endpoint
from lb.targets.health import ProbeOutcome, ProbeResult
from tests.health.scripted import until
from tests.observe.metrics.made import finished
from tests.observe.test_log_settings import config_of

NOW_S = 1_767_694_830.25
ALL_ON = {
    "access_logs.s3.enabled": True,
    "access_logs.s3.bucket": "bucket",
    "access_logs.s3.prefix": "access_logs",
    "connection_logs.s3.enabled": True,
    "connection_logs.s3.bucket": "bucket",
    "connection_logs.s3.prefix": "connection_logs",
    "health_check_logs.s3.enabled": True,
    "health_check_logs.s3.bucket": "bucket",
    "health_check_logs.s3.prefix": "health_check_logs",
}


@asynccontextmanager
async def recording(folder, **options):
    metrics = Metrics(lambda: ())
    recorder = Recorder(folder, metrics, **options)
    recorder.start()
    try:
        yield recorder, metrics
    finally:
        await recorder.close()
        metrics.close()


def connection(balancer, number=1):
    return ConnectionRecord(Origin(balancer, "web.localhost", 8080), NOW_S, "203.0.113.9", 40000 + number, "TID_1")


def probed(config, recorder):
    """Tells of one probe of each target group's one target."""
    for group in config.target_groups:
        (target,) = group.targets
        result = ProbeResult(ProbeOutcome.PASSED, 200, "", 0.25, NOW_S)
        recorder.record_probe(group.arn, Endpoint(target, "127.0.0.1"), result)


def live(folder: Path, name: str) -> list[str]:
    return (folder / "logs" / f"{name}.log").read_text().splitlines()


def delivered(folder: Path) -> dict[str, str]:
    """Prefix -> text of the complete files of the bucket."""
    found = {}
    for path in sorted((folder / "s3" / "bucket").rglob("*.log.gz")):
        prefix = path.relative_to(folder / "s3" / "bucket").parts[0]
        found[prefix] = found.get(prefix, "") + gzip.decompress(path.read_bytes()).decode()
    return found


async def test_each_log_is_written_while_it_runs(tmp_path):
    config = config_of(web={})
    async with recording(tmp_path) as (recorder, _):
        recorder.configure(config)
        recorder.record(finished())
        recorder.record_connection(connection("app/web/1"))
        probed(config, recorder)
        await until(lambda: all(live(tmp_path, name) for name in ("access", "connection", "health_check")))
        assert live(tmp_path, "connection") == [
            '2026-01-06T10:20:30.250000Z 203.0.113.9 40001 8080 - - - "-" - - - TID_1 -'
        ]
        assert live(tmp_path, "health_check") == [
            f"http 2026-01-06T10:20:30.000000Z 0.250000000 127.0.0.1:1 {group.name} PASS 200 -"
            for group in config.target_groups
        ]
    assert len(live(tmp_path, "access")) == 1
    assert not (tmp_path / "s3").exists()


async def test_logs_are_delivered_for_load_balancers_that_want_them(tmp_path):
    config = config_of(web=ALL_ON, quiet={})
    web, quiet = (load_balancer_label(balancer.arn) for balancer in config.load_balancers)
    async with recording(tmp_path, node_ip="10.0.0.5") as (recorder, _):
        recorder.configure(config)
        for balancer in (web, quiet):
            recorder.record(finished(balancer=balancer))
            recorder.record_connection(connection(balancer))
        probed(config, recorder)
    texts = delivered(tmp_path)
    (access,) = texts["access_logs"].splitlines()
    assert f" {web} " in access
    assert len(texts["connection_logs"].splitlines()) == 1
    (check,) = texts["health_check_logs"].splitlines()
    assert " web-servers PASS " in check
    assert not list((tmp_path / "s3").rglob("*.part"))
    tests = {path.parts[-4]: path.name for path in (tmp_path / "s3").rglob("ELB*TestFile")}
    assert tests == {
        "access_logs": "ELBAccessLogTestFile",
        "connection_logs": "ELBConnectionLogTestFile",
        "health_check_logs": "ELBHealthCheckLogTestFile",
    }
    names = [path.name for path in (tmp_path / "s3").rglob("*.log.gz")]
    assert all("_10.0.0.5_" in name for name in names)
    # The live logs have those of all load balancers.
    assert len(live(tmp_path, "access")) == len(live(tmp_path, "connection")) == 2
    assert len(live(tmp_path, "health_check")) == 3


async def test_delivery_follows_the_configuration(tmp_path):
    """Off, on, to another prefix, off: every entry goes where the configuration of its time says."""

    def with_prefix(prefix):
        return config_of(web={**ALL_ON, "access_logs.s3.prefix": prefix})

    web = load_balancer_label(config_of(web={}).load_balancers[0].arn)
    configs = [config_of(web={}), with_prefix("one"), with_prefix("one"), with_prefix("two"), config_of(web={})]
    async with recording(tmp_path) as (recorder, _):
        for number, config in enumerate(configs):
            recorder.configure(config)
            recorder.record(finished(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % number, balancer=web))
            await until(lambda number=number: len(live(tmp_path, "access")) == number + 1)
    texts = {
        prefix: [line.split('"')[1].split()[1][-2:] for line in text.splitlines()]
        for prefix, text in delivered(tmp_path).items()
    }
    assert texts == {"one": ["/1", "/2"], "two": ["/3"]}


async def test_requests_are_counted_up_to_the_moment_of_the_question(tmp_path):
    async with recording(tmp_path, zone="us-east-1a") as (recorder, metrics):
        for number in range(1, 1000):
            recorder.record(finished())
            if number % 333 == 0:
                text = metrics.prometheus()
                (line,) = [line for line in text.splitlines() if line.startswith("lb_request_count_total{")]
                assert line.endswith(f" {number}")
                assert 'availability_zone="us-east-1a"' in line
    assert len(live(tmp_path, "access")) == 999


async def test_what_is_recorded_at_the_end_is_counted(tmp_path):
    async with recording(tmp_path) as (recorder, metrics):
        recorder.record(finished())
    assert "lb_request_count_total" in metrics.prometheus()


async def test_a_request_is_found_as_soon_as_it_is_over(tmp_path):
    async with recording(tmp_path) as (recorder, _):
        wanted = finished(trace_id=b"Root=1-695cdfae-0123456789abcdef01234567")
        recorder.record(finished())
        recorder.record(wanted)
        assert recorder.find("1-695cdfae-0123456789abcdef01234567") == [wanted]
        await until(lambda: len(live(tmp_path, "access")) == 2)
        assert recorder.find("1-695cdfae-0123456789abcdef01234567") == [wanted]


async def test_connections_are_counted_for_their_load_balancer(tmp_path):
    async with recording(tmp_path) as (recorder, metrics):
        counts = recorder.connections("app/web/1")
        assert recorder.connections("app/web/1") is counts
        counts.opened()
        assert 'lb_new_connection_count_total{load_balancer="app/web/1"} 1' in metrics.prometheus()


async def test_a_log_that_fails_does_not_stop_the_others(tmp_path, caplog):
    bad = finished()
    bad.created_s = None
    async with recording(tmp_path) as (recorder, _):
        recorder.record(bad)
        recorder.record_connection(connection("app/web/1"))
        recorder.record(finished())
        await until(lambda: len(live(tmp_path, "access")) == len(live(tmp_path, "connection")) == 1)
    assert caplog.records


@pytest.mark.parametrize("name", ["access", "connection", "health_check"])
def test_a_log_that_cannot_be_opened_is_an_error_at_once(tmp_path, name):
    (tmp_path / "logs" / f"{name}.log").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        Recorder(tmp_path, Metrics(lambda: ()))
