"""Files over HTTP, from a server that breaks every promise a server can break."""

import datetime as dt
import email.utils
import gzip
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from importer_help import Database, load_city, offer, state, write_csv, write_geojson, write_xlsx
from remote_help import QUICK, changes_nothing, leftovers, load, one_sentence, opened, refusal, rows_of
from scripted_server import Answer, Handler, Scripted, said, scripted_server

from importers.errors import SourceError
from importers.sources import addresses, open_source
from importers.sources.addresses import is_private, same_origin, shown
from importers.sources.http import Fetcher, HttpRules, HttpStatusError, NotModified, Validators, _retry_after_s
from importers.sources.remote import fetch_name

CSV = b"id;name\n1;eins\n"


def fetched(url: str, rules: HttpRules = QUICK, **more: Any) -> bytes:
    with Fetcher(rules) as fetcher:
        return fetcher.get(url, **more).path.read_bytes()


def refused(url: str, rules: HttpRules = QUICK, **more: Any) -> str:
    with Fetcher(rules) as fetcher, pytest.raises(SourceError) as caught:
        fetcher.get(url, **more)
    return one_sentence(caught.value)


def redirect(to: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": to})


# What comes through.


def test_a_file_comes_whole_and_goes_with_its_fetcher(scripted: Scripted) -> None:
    before = leftovers()
    url = scripted.put("/a.csv", said(CSV, "Text/CSV; charset=utf-8", headers={"ETag": '"1"', "Last-Modified": "x"}))
    with Fetcher(QUICK) as fetcher:
        got = fetcher.get(url, accept="text/csv")
        assert got.path.read_bytes() == CSV
        assert got.digest == hashlib.sha256(CSV).hexdigest()
        assert (got.content_type, got.url, got.validators) == ("text/csv", url, Validators('"1"', "x"))
        assert scripted.asked[0][1]["accept"] == "text/csv"
        assert len(leftovers()) == len(before) + 1
    assert leftovers() == before


def test_a_forgotten_source_takes_its_files_with_it(scripted: Scripted) -> None:
    before = leftovers()
    source = open_source(scripted.put("/a.csv", said(CSV, "text/csv")))
    assert rows_of(source) == [{"id": "1", "name": "eins", "": None}]
    assert leftovers() != before
    del source
    assert leftovers() == before


def test_gzip_is_unpacked_and_counted_unpacked(scripted: Scripted) -> None:
    packed = {"Content-Encoding": "gzip"}
    body = os.urandom(300_000) + b"x" * 300_000
    assert fetched(scripted.put("/a", Answer(gzip.compress(body), headers=packed))) == body
    assert scripted.asked[0][1]["accept-encoding"] == "gzip"
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    assert "größer als 3,81 MiB" in refused(scripted.put("/b", Answer(bomb, headers=packed)))
    assert "Packung („br“)" in refused(scripted.put("/c", Answer(b"x", headers={"Content-Encoding": "br"})))
    assert "bricht die Verbindung ab" in refused(scripted.put("/d", Answer(gzip.compress(body)[:-9], headers=packed)))
    assert "bricht die Verbindung ab" in refused(scripted.put("/e", Answer(b"kein gzip", headers=packed)))


def test_chunked_bodies(scripted: Scripted) -> None:
    def chunked(*parts: bytes) -> Callable[[Handler], None]:
        def write(handler: Handler) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(parts))

        return write

    whole = chunked(b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n")
    assert fetched(scripted.put("/a", Answer(raw=whole))) == b"abcde"
    for cut in (chunked(b"3\r\nabc\r\n"), chunked(b"3\r\na"), chunked(b"3\r\nabc\r\n", b"zz\r\n")):
        assert "bricht die Verbindung ab" in refused(scripted.put("/b", Answer(raw=cut)))


# Limits.


def test_too_much_is_refused_before_and_while_reading(scripted: Scripted) -> None:
    small = replace(QUICK, max_bytes=100_000)
    declared = scripted.put("/a", Answer(bytes(200_000)))
    assert "größer als 97,7 KiB" in refused(declared, small)
    assert len(fetched(scripted.put("/b", Answer(bytes(100_000))), small)) == 100_000

    def endless(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not scripted.ended.is_set():
            handler.wfile.write(bytes(10_000))

    assert "größer als" in refused(scripted.put("/c", Answer(raw=endless)), small)
    assert "größer als" in refused(declared, max_bytes=1000)


def drip(scripted: Scripted, head: bytes) -> Callable[[Handler], None]:
    def write(handler: Handler) -> None:
        handler.wfile.write(head)
        while not scripted.ended.wait(0.05):
            handler.wfile.write(b"x")

    return write


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: "])
def test_a_server_that_drips_is_left_in_time(scripted: Scripted, head: bytes) -> None:
    start = time.monotonic()
    sentence = refused(scripted.put("/a", Answer(raw=drip(scripted, head))), replace(QUICK, total_timeout_s=0.5))
    assert "in 0.5 Sekunden nicht vollständig" in sentence
    assert time.monotonic() - start < 15


def test_a_server_that_says_nothing_is_left_in_time(scripted: Scripted) -> None:
    silent = Answer(raw=lambda _handler: scripted.ended.wait(20) and None)
    start = time.monotonic()
    sentence = refused(scripted.put("/a", silent), replace(QUICK, read_timeout_s=0.1, attempts=2))
    assert "antwortet nicht rechtzeitig" in sentence
    assert time.monotonic() - start < 15
    assert len(scripted.asked) == 2


# Attempts.


def test_errors_of_the_server_are_tried_again(scripted: Scripted) -> None:
    url = scripted.put("/a", Answer(status=500), Answer(status=503), Answer(CSV))
    assert fetched(url) == CSV
    assert len(scripted.asked) == 3
    assert "meldet einen Fehler (500)" in refused(scripted.put("/b", Answer(status=500)))
    assert scripted.paths().count("/b") == 3
    assert "ist überlastet (429)" in refused(scripted.put("/c", Answer(status=429)))
    assert scripted.paths().count("/c") == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_refusals_are_final_at_once(scripted: Scripted, status: int) -> None:
    url = scripted.put("/a", Answer(b"Grund", status))
    with Fetcher(QUICK) as fetcher, pytest.raises(HttpStatusError) as caught:
        fetcher.get(url)
    assert f"({status})" in one_sentence(caught.value)
    assert (caught.value.status, caught.value.body) == (status, b"Grund")
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("status", [204, 206, 304, 300])
def test_odd_answers_are_no_data(scripted: Scripted, status: int) -> None:
    assert f"antwortet unerwartet ({status})" in refused(scripted.put("/a", Answer(status=status)))


def test_truncated_bodies_are_tried_again(scripted: Scripted) -> None:
    assert fetched(scripted.put("/a", Answer(CSV, cut=5), Answer(CSV, cut=0), Answer(CSV))) == CSV
    assert len(scripted.asked) == 3
    assert "bricht die Verbindung ab" in refused(scripted.put("/b", Answer(CSV, cut=5)))
    hang_up = Answer(raw=lambda _handler: None)
    assert fetched(scripted.put("/c", hang_up, Answer(CSV))) == CSV
    assert "bricht die Verbindung ab" in refused(
        scripted.put("/d", Answer(raw=lambda h: h.wfile.write(b"Quatsch") and None))
    )


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert "nicht erreichbar" in refused(f"http://127.0.0.1:{port}/a")
    assert "nicht erreichbar" in refused("http://gibt.es.nicht.invalid/a")


def test_the_servers_wish_to_wait_is_heeded_and_bounded(scripted: Scripted) -> None:
    busy = Answer(status=503, headers={"Retry-After": "1"})
    start = time.monotonic()
    assert fetched(scripted.put("/a", busy, Answer(CSV))) == CSV
    assert time.monotonic() - start >= 1
    # A wait that would outlast the time for the whole answer is not begun.
    busy.headers["Retry-After"] = "100000"
    start = time.monotonic()
    assert "Sekunden nicht vollständig" in refused(scripted.put("/b", busy), replace(QUICK, total_timeout_s=5))
    assert time.monotonic() - start < 60


def test_retry_after_is_read_in_both_forms() -> None:
    later = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60), usegmt=True)
    assert _retry_after_s("7") == 7
    assert 50 < _retry_after_s(later) <= 60
    assert [_retry_after_s(text) for text in ("", "bald", "-3", "Thu, 01 Jan 1970 00:00:00 GMT")] == [0, 0, 0, 0]


# Asking again.


def test_an_unchanged_file_costs_one_request(scripted: Scripted) -> None:
    def tagged(handler: Handler) -> Answer:
        if handler.headers["If-None-Match"] == '"1"' and handler.headers["If-Modified-Since"] == "gestern":
            return Answer(status=304)
        return said(CSV, "text/csv", headers={"ETag": '"1"', "Last-Modified": "gestern"})

    url = scripted.put("/a.csv", tagged)
    source: Any = opened(url)
    assert source.validators == Validators('"1"', "gestern")
    with pytest.raises(NotModified):
        opened(url, known=source.validators)
    assert len(scripted.asked) == 2
    assert len(rows_of(opened(url, known=Validators('"0"')))) == 1
    assert len(rows_of(opened(url, known=Validators()))) == 1
    assert opened(scripted.put("/b.csv", said(CSV, "text/csv"))).validators is None  # type: ignore[attr-defined]


# Redirects.


def test_redirects_at_home_are_followed(scripted: Scripted) -> None:
    scripted.put("/b/c.csv", Answer(CSV))
    for status in (301, 302, 303, 307, 308):
        assert fetched(scripted.put("/a", redirect("b/c.csv", status))) == CSV
    assert fetched(scripted.put("/a", redirect(f"{scripted.url}/b/c.csv"))) == CSV
    with Fetcher(QUICK) as fetcher:
        assert fetcher.get(scripted.put("/a", redirect("/b/c.csv"))).url == f"{scripted.url}/b/c.csv"


def test_redirects_end(scripted: Scripted) -> None:
    assert "mehr als 5-mal" in refused(scripted.put("/a", redirect("/a")))
    assert len(scripted.asked) == 6
    assert "ohne zu sagen, wohin" in refused(scripted.put("/b", Answer(status=302)))


PRIVATE = [
    "http://169.254.169.254/latest/meta-data/", "http://[::1]:8000/", "http://10.0.0.1/", "http://192.168.1.1/",
    "http://172.16.0.9/", "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1]/", "http://[fd00::1]/", "http://224.0.0.1/", "http://100.64.0.1/", "http://localhost:1/",
    "https://127.0.0.1/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
]  # fmt: skip


@pytest.mark.parametrize("to", PRIVATE)
def test_redirects_into_the_house_are_refused(scripted: Scripted, to: str) -> None:
    assert "privaten Netz" in refused(scripted.put("/a", redirect(to)))
    assert len(scripted.asked) == 1, "it is no error that is tried again"


def test_another_port_is_another_server(scripted: Scripted) -> None:
    with scripted_server() as other:
        target = other.put("/geheim", Answer(CSV))
        url = scripted.put("/a", redirect(target))
        assert "privaten Netz" in refused(url)
        assert other.asked == []
        assert fetched(url, replace(QUICK, allow_private_redirects=True)) == CSV
        assert "privaten Netz" in refused(target, origin=url)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://example.org/a", "data:text/csv,a", "http://a b/"])
def test_redirects_out_of_the_web_are_refused(scripted: Scripted, to: str) -> None:
    assert "http:// oder https://" in refused(scripted.put("/a", redirect(to)))


def test_a_name_that_changes_its_address_meanwhile_is_caught(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is public when it is looked up first, and private when it is connected to."""
    with scripted_server() as inside:
        target = inside.put("/geheim", Answer(CSV)).replace("127.0.0.1", "localhost")
        real, looked = socket.getaddrinfo, []

        def rebinding(host: str, *args: Any, **more: Any) -> Any:
            looked.append(host)
            if looked.count("localhost") == 1 and host == "localhost":
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
            return real(host, *args, **more)

        monkeypatch.setattr(addresses.socket, "getaddrinfo", rebinding)
        assert "privaten Netz" in refused(scripted.put("/a", redirect(target)))
        assert looked.count("localhost") == 2
        assert inside.asked == [], "not even asked"


def test_from_encrypted_to_open_is_refused() -> None:
    from importers.sources.http import refuse_step

    refuse_step("https://b.example/", "https://a.example/")
    refuse_step("https://b.example/", "http://a.example/")
    with pytest.raises(SourceError, match="offene Adresse"):
        refuse_step("http://a.example/", "https://a.example/")


@pytest.mark.parametrize(
    ("url", "given", "same"),
    [
        ("http://a/x", "http://a/y", True),
        ("http://a:80/", "http://A/", True),
        ("https://a/", "http://a/", True),
        ("http://a/", "https://a/", False),
        ("https://a:8443/", "http://a/", False),
        ("https://a/", "http://a:8080/", False),
        ("http://a:81/", "http://a/", False),
        ("http://a.b/", "http://a/", False),
    ],
)
def test_what_is_the_same_server(url: str, given: str, *, same: bool) -> None:
    assert same_origin(url, given) is same


def test_public_addresses_are_public() -> None:
    assert not any(map(is_private, ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]))
    assert all(map(is_private, ["127.0.0.1", "fe80::1%eth0", "::", "255.255.255.255", "240.0.0.1", "192.0.2.1"]))


# Secrets.


def test_credentials_go_to_their_server_only_and_are_shown_nowhere(scripted: Scripted) -> None:
    with scripted_server() as other:
        other.put("/b", Answer(CSV))
        scripted.put("/b.csv", said(CSV, "text/csv"))
        url = scripted.put("/a", redirect("/b.csv")).replace("http://", "http://nutzer:geh%40im@")
        source = opened(url)
        assert [headers["authorization"] for _path, headers in scripted.asked] == ["Basic bnV0emVyOmdlaEBpbQ=="] * 2
        assert source.provenance.source == f"{scripted.url}/a"
        scripted.put("/a", redirect(f"{other.url}/b"))
        fetched(url, replace(QUICK, allow_private_redirects=True))
        assert "authorization" not in other.asked[0][1]
        scripted.put("/a", Answer(status=404))
        assert "geh" not in refused(url)
        scripted.put("/a", Answer(b"<html>", headers={"Content-Type": "text/html"}))
        assert "geh" not in refusal(url + "?token=geheim")


def test_netrc_is_not_read(scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login nutzer password geheim\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert requests.utils.get_netrc_auth(scripted.url) == ("nutzer", "geheim"), "the trap is set"
    fetched(scripted.put("/a", Answer(CSV)))
    assert "authorization" not in scripted.asked[0][1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.de/b?c=1", "https://a.de/b?c=1"),
        ("https://user:pass@a.de:8443/b#c", "https://a.de:8443/b"),
        ("https://a.de/b?token=x&c=1", "https://a.de/b?token=***&c=1"),
        (
            "https://a.de/b?API_KEY=x&apikey=y&sig=z&Password=w",
            "https://a.de/b?API_KEY=***&apikey=***&sig=***&Password=***",
        ),
        ("https://a.de/b?typenames=app:x", "https://a.de/b?typenames=app:x"),
        ("http://[::1]:80/a\x1b[31m", "http://[::1]:80/a[31m"),
        ("http://a:99999/", "(unlesbare Adresse)"),
    ],
)
def test_what_of_a_url_is_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


# Files of every kind, through the importers' own door.


def test_every_kind_of_file_is_read_as_from_disk(scripted: Scripted, tmp_path: Path) -> None:
    rows = [{"id": "1", "name": "eins"}, {"id": "2", "name": "zwei"}]
    files = [
        write_csv(tmp_path / "a.csv", rows),
        write_csv(tmp_path / "a.tsv", rows, delimiter="\t"),
        write_xlsx(tmp_path / "a.xlsx", [["id", "name"], ["1", "eins"], ["2", "zwei"]]),
        write_geojson(tmp_path / "a.geojson", [(row, None) for row in rows]),
    ]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    for path in [*files, tmp_path / "a.json"]:
        url = scripted.put(f"/daten/{path.name}", said(path.read_bytes(), "application/octet-stream"))
        remote, local = opened(url), open_source(path)
        assert rows_of(remote) == rows_of(local)
        assert remote.columns == local.columns
        assert remote.provenance == replace(local.provenance, source=url)


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/daten", {"Content-Type": "text/csv"}, "daten.csv"),
        ("/", {"Content-Type": "text/csv; charset=x"}, "datei.csv"),
        ("/x.php", {"Content-Disposition": 'attachment; filename="Größe ä.CSV"'}, "Größe ä.CSV"),
        ("/x.php", {"Content-Disposition": "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv"}, "Größe.csv"),
        ("/x.php", {"Content-Disposition": 'attachment; filename="../../etc/x.csv"'}, "x.csv"),
        ("/x.php", {"Content-Disposition": 'attachment; filename="C:\\\\b\\\\x.csv"'}, "x.csv"),
        ("/a%2Fb%00c.csv", {}, "b_c.csv"),
        ("/" + "a" * 300 + ".csv", {}, "a" * 80 + ".csv"),
    ],
)
def test_the_name_of_a_fetched_file(scripted: Scripted, path: str, headers: dict[str, str], name: str) -> None:
    encoded = {key: value.encode().decode("latin-1") for key, value in headers.items()}
    url = scripted.put(path, Answer(CSV, headers=encoded))
    with Fetcher(QUICK) as fetcher:
        got = fetch_name(fetcher.get(url), url)
        assert got.name == name
        assert got.read_bytes() == CSV


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("/a.csv", said(b"\n <!doctype HTML><html>", "text/csv"), "Internetseite"),
        ("/a.csv", said(b"<html>", "text/html"), "Internetseite"),
        ("/a.csv", said(b"", "text/csv"), "liefert nichts"),
        ("/a", said(b"\x00\x01", "application/octet-stream"), "nicht zu erkennen"),
        ("/a.pdf", said(b"%PDF", "application/pdf"), "nicht zu erkennen"),
        ("/a.gml", said(b"<?xml version='1.0'?><a/>", "text/xml"), "WFS-Dienste"),
        ("/a.xlsx", said(b"PK\x03\x04kaputt", "application/zip"), "lesbare Excel-Datei"),
        ("/", said({"title": "x", "links": []}, "application/json"), "Einstieg"),
    ],
)
def test_what_is_no_file_is_said(scripted: Scripted, path: str, answer: Answer, expected: str) -> None:
    assert expected in refusal(scripted.put(path, answer))


def test_what_is_no_address_is_said() -> None:
    assert "http:// oder https://" in refusal("http://")
    assert "http:// oder https://" in refusal("https://a b/")
    assert "http:// oder https://" in refusal("http://a:99999999/")
    assert "gibt es nicht" in refusal("ftp://a.de/b.csv")


def test_an_import_from_a_bad_server_changes_nothing(scripted: Scripted, database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    rows = [offer(n, 100 + n) for n in range(20)]
    body = write_csv(tmp_path / "a.csv", rows).read_bytes()
    url = scripted.put("/a.csv", Answer(body, cut=100))
    assert "bricht die Verbindung ab" in changes_nothing(database, url)
    scripted.put("/a.csv", said(b"<html>Wartung</html>", "text/html"))
    assert "Internetseite" in changes_nothing(database, url)
    scripted.put("/a.csv", Answer(status=500), said(body, "text/csv"))
    report = load(database, url)
    assert (report.rows_loaded, report.source) == (20, url)
    before = state(database.writing)
    assert "(404)" in changes_nothing(database, scripted.put("/a.csv", Answer(status=404)))
    assert state(database.writing) == before


def test_many_fetchers_side_by_side(scripted: Scripted) -> None:
    body = os.urandom(500_000)
    url = scripted.put("/a", Answer(body))
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(fetched(url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [body] * 8
