"""Requests of our own: signed, answered in all the ways that HTTP has, and gone on with after a connection that was closed."""

import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
import trustme

from ozzy_s3.pages import page_of
from ozzy_s3.wire import Answer, Place, Request, Wire


@contextmanager
def server(*answers, context=None):
    """Answers requests in turn, each a list of what one connection is sent; what was asked is kept."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve():
        for connection in answers:
            talking, _ = listening.accept()
            if context is not None:
                try:
                    talking = context.wrap_socket(talking, server_side=True)
                except ssl.SSLError:
                    talking.close()
                    return
            with talking:
                for answer in connection:
                    content = b""
                    while b"\r\n\r\n" not in content and (piece := talking.recv(65536)):
                        content += piece
                    asked.append(content)
                    talking.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/bucket/", asked
    finally:
        thread.join(5)
        listening.close()


def wire(url, keys=("key", "secret", None), **more):
    return Wire(Place(url, "us-east-1", lambda: keys, "", 5.0, **more))


def answered(*connections, method="GET"):
    with server(*connections) as (url, _):
        made = wire(url)
        try:
            return [made.send(Request(method, "a b", {})) for connection in connections for _ in connection]
        finally:
            made.close()


def test_answers_with_a_length_share_a_connection():
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag:  x \r\n\r\none"
    second = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    assert answered([first, second]) == [
        Answer(200, {"content-length": "3", "etag": "x"}, b"one"),
        Answer(404, {"content-length": "0"}, b""),
    ]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\none\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            b"one0123456789",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_a_body_ends_where_it_says(answer, body):
    [found] = answered([answer])
    assert found.body == body


def test_an_answer_to_head_has_no_body():
    [found] = answered([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"], method="HEAD")
    assert (found.body, found.headers["content-length"]) == (b"", "99")


@pytest.mark.parametrize("hint", [b"", b"Connection: close\r\n"])
def test_a_connection_that_was_closed_is_made_anew(hint):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + hint + b"\r\nx"
    assert [one.body for one in answered([answer], [answer])] == [b"x", b"x"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_none(answer):
    from http.client import HTTPException

    with pytest.raises((HTTPException, OSError, ValueError)):
        answered([answer])


def test_a_signature_is_that_of_amazon_s_example(monkeypatch):
    """The example "GET Bucket Lifecycle" of Amazon's documentation on signatures of version 4, which has no Range header."""
    monkeypatch.setattr("time.strftime", lambda *_: "20130524T000000Z")
    made = wire("https://examplebucket.s3.amazonaws.com/", ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None))
    signed = made._signed(Request("GET", "", {}, "lifecycle="), "/")
    assert signed["authorization"].endswith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_checked(tmp_path, trusted):
    authority = trustme.CA()
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with server([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"], context=context) as (url, asked):
        place = url.replace("http://127.0.0.1", "https://localhost")
        made = Wire(Place(place, "us-east-1", lambda: None, str(tmp_path / "ca.pem"), 5.0))
        if trusted:
            assert made.send(Request("GET", "a", {})).body == b"x"
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                made.send(Request("GET", "a", {}))
        made.close()
    assert bool(asked) is trusted


def test_connections_are_shared_by_threads_that_come_and_go():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
    with server([answer] * 3) as (url, asked):
        made = wire(url)
        for _ in range(3):
            thread = threading.Thread(target=made.send, args=(Request("GET", "a", {}),))
            thread.start()
            thread.join()
        made.close()
    assert len(asked) == 3


def test_nothing_is_signed_without_keys():
    with server([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as (url, asked):
        made = wire(url, None)
        made.send(Request("GET", "a", {"range": "bytes=0-1"}))
        made.close()
    assert b"authorization" not in asked[0].lower()
    assert b"range: bytes=0-1\r\n" in asked[0]


def test_a_token_is_sent_and_no_header_can_hold_another_line():
    with server([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as (url, asked):
        made = wire(url, ("key", "secret", "token"))
        made.send(Request("PUT", "a\r\nb", {"x-amz-meta-a": "1\r\nevil: 2"}, body=b"xyz"))
        made.close()
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /bucket/a%0D%0Ab HTTP/1.1\r\n")
    assert b"x-amz-security-token: token" in head
    assert b"x-amz-meta-a: 1 evil: 2" in head
    assert b"content-length: 3" in head
    assert body == b"xyz"


def test_a_proxy_is_asked_for_the_whole_address():
    with server([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]) as (url, asked):
        proxy = url.removesuffix("/bucket/").replace("//", "//user:p%40ss@")
        made = wire("http://s3.example.com/bucket/", proxy=proxy)
        assert made.send(Request("GET", "a", {})).body == b"ok"
        made.close()
    assert asked[0].startswith(b"GET http://s3.example.com/bucket/a HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in asked[0]


def test_a_page_of_a_listing():
    body = b"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>
        <Contents><Key>a%2Fb+c%0A</Key><Size>5</Size><ETag>"x"</ETag></Contents><IsTruncated>true</IsTruncated>
        <NextContinuationToken>t+1</NextContinuationToken></ListBucketResult>"""
    assert page_of(body) == {
        "Contents": [{"Key": "a/b c\n", "Size": 5, "ETag": '"x"'}], "IsTruncated": True, "NextContinuationToken": "t+1"
    }  # fmt: skip


def test_a_page_without_quoting_or_namespace():
    assert page_of(b"<L><Contents><Key>a+b</Key><Size>0</Size></Contents></L>") == {
        "Contents": [{"Key": "a+b", "Size": 0, "ETag": ""}], "IsTruncated": False, "NextContinuationToken": None
    }  # fmt: skip
