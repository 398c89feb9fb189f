//! Responses that somebody has coded on the way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::rt::Runtime;
use agently_http::{BodyFraming, HttpError, HttpErrorKind, StatusCode};

use support::{client, on_each, Conn, Server};

/// One exchange with a server that answers with these bytes and closes: how the end of the body
/// was told, and the body.
async fn exchange(runtime: &Runtime, answer: String) -> Result<(BodyFraming, String), HttpError> {
    let server = Server::start(move |_, conn: &mut Conn| {
        conn.request();
        conn.send(&answer);
    });
    let body = client().send(runtime, server.get()).await?.into_body();
    let framing = body.framing();
    let bytes = body.collect(1_000).await?;
    Ok((framing, String::from_utf8(bytes.to_vec()).unwrap()))
}

#[test]
fn c13_a_coded_response_names_the_coding() {
    on_each(|runtime| async move {
        const CHUNKS: &str = "2\r\nok\r\n0\r\n\r\n";
        for headers in [
            "Content-Encoding: GZIP",
            "Content-Encoding: identity, gzip",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: GZip\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip",
        ] {
            let coded = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{CHUNKS}");
            let error = exchange(&runtime, coded).await.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::ContentType, "{headers}");
            assert!(!error.is_retryable());
            assert!(error.to_string().contains("gzip"), "{error}");
        }
    });
}

#[test]
fn codings_that_change_nothing_are_read() {
    on_each(|runtime| async move {
        const CHUNKS: &str = "2\r\nok\r\n0\r\n\r\n";
        for (headers, body, framing) in [
            (
                "Content-Encoding: identity\r\nContent-Length: 2",
                "ok",
                BodyFraming::Length(2),
            ),
            ("Transfer-Encoding: chunked", CHUNKS, BodyFraming::Chunked),
            ("Transfer-Encoding: Chunked", CHUNKS, BodyFraming::Chunked),
            (
                "Transfer-Encoding: identity",
                "ok",
                BodyFraming::CloseDelimited,
            ),
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}");
            let (told, text) = exchange(&runtime, answer).await.unwrap();
            assert_eq!((told, text.as_str()), (framing, "ok"), "{headers}");
        }
    });
}

#[test]
fn a_coded_error_response_still_shows_its_status() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
            conn.send(
                "HTTP/1.1 502 Bad Gateway\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
            );
        });
        let response = client().send(&runtime, server.get()).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        let error = response.into_body().collect(1_000).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::ContentType);
    });
}
