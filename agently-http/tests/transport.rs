//! What the network and servers do to a response, and what is made of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::Read;
use std::net::TcpListener;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::rt::Runtime;
use agently_http::{
    Body, BodyFraming, HttpError, HttpErrorKind, Limits, Method, Request, StatusCode, Url, Version,
};

use support::{builder, client, on_each, text, Conn, Server};

/// Reads to the end: what came, and how it ended.
async fn read(mut body: Body) -> (String, Option<HttpError>) {
    let mut seen = Vec::new();
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => seen.extend_from_slice(&bytes),
            Err(error) => {
                assert_eq!(error.bytes_received(), seen.len() as u64);
                assert!(body.next().await.is_none(), "an error ends the body");
                return (String::from_utf8(seen).unwrap(), Some(error));
            }
        }
    }
    (String::from_utf8(seen).unwrap(), None)
}

/// One exchange with a server that answers with these bytes and closes.
async fn exchange(runtime: &Runtime, answer: &'static str) -> (String, Option<HttpError>) {
    let server = Server::start(move |_, conn: &mut Conn| {
        conn.request();
        conn.send(answer);
    });
    match client().send(runtime, server.get()).await {
        Ok(response) => read(response.into_body()).await,
        Err(error) => (String::new(), Some(error)),
    }
}

fn kind(outcome: &(String, Option<HttpError>)) -> Option<HttpErrorKind> {
    outcome.1.as_ref().map(HttpError::kind)
}

#[test]
fn a_request_arrives_as_it_was_made() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
            conn.respond("hello");
        });
        let request = Request::post(server.url("/v1/chat?x=1"))
            .with_header("content-type", "application/json")
            .unwrap()
            .with_body(r#"{"a":1}"#);
        let response = client().send(&runtime, request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.version(), Version::HTTP_11);
        assert_eq!(text(response).await, "hello");

        let seen = &server.requests()[0];
        assert!(seen.starts_with("POST /v1/chat?x=1 HTTP/1.1\r\n"), "{seen}");
        for line in [
            format!("host: {}", server.address),
            "accept-encoding: identity".to_owned(),
            "content-type: application/json".to_owned(),
            "content-length: 7".to_owned(),
            format!("user-agent: agently-rs/{}", env!("CARGO_PKG_VERSION")),
        ] {
            assert!(seen.contains(&format!("{line}\r\n")), "{line} in {seen}");
        }
        assert!(seen.ends_with(r#"{"a":1}"#));
    });
}

#[test]
fn a_large_request_body_arrives_whole() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            let request = conn.request().unwrap();
            let body = request.split_once("\r\n\r\n").unwrap().1;
            assert!(body.bytes().all(|byte| byte == b'x'));
            conn.respond(&body.len().to_string());
        });
        let request = Request::post(server.url("/")).with_body(vec![b'x'; 3_000_001]);
        let response = client().send(&runtime, request).await.unwrap();
        assert_eq!(text(response).await, "3000001");
    });
}

#[test]
fn an_answer_before_the_whole_request_was_sent_is_read() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            // Reads a little of the body, answers and reads on: the client is still writing.
            let mut some = [0; 1000];
            conn.stream.read_exact(&mut some).unwrap();
            conn.send(
                "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig",
            );
            conn.wait_closed();
        });
        let request = Request::post(server.url("/")).with_body(vec![b'x'; 30_000_000]);
        let response = client().send(&runtime, request).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(text(response).await, "big");
    });
}

#[test]
fn c01_reset_in_the_body_is_truncated() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            // Part of the request stays unread, which makes closing a reset.
            let mut some = [0; 10];
            conn.stream.read_exact(&mut some).unwrap();
            conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        });
        let request = Request::post(server.url("/")).with_body(vec![b'x'; 100]);
        let response = client().send(&runtime, request).await;
        // The reset may overtake the answer.
        let error = match response {
            Ok(response) => read(response.into_body()).await.1.unwrap(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), HttpErrorKind::Truncated);
        assert!(error.is_retryable());
        assert!(std::error::Error::source(&error).is_some());
    });
}

#[test]
fn c02_a_missing_last_chunk_is_truncated() {
    on_each(|runtime| async move {
        let outcome = exchange(
            &runtime,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        )
        .await;
        assert_eq!(outcome.0, "hello");
        let error = outcome.1.unwrap();
        assert_eq!(error.kind(), HttpErrorKind::Truncated);
        assert!(error.is_retryable());
        assert_eq!(error.bytes_received(), 5);

        let error = ProviderError::from(error);
        assert_eq!(error.kind(), ProviderErrorKind::Truncated);
        assert_eq!(error.bytes_received(), 5);
        assert!(std::error::Error::source(&error).is_some());
    });
}

#[test]
fn c03_bad_chunk_sizes_are_protocol_errors() {
    on_each(|runtime| async move {
        for size in ["zz", "fffffffffffffffff", "-1", ""] {
            let server = Server::start(move |number, conn: &mut Conn| {
                conn.request();
                if number == 0 {
                    conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
                    conn.send(format!("{size}\r\nabc\r\n0\r\n\r\n"));
                    conn.wait_closed();
                } else {
                    conn.respond("fresh");
                }
            });
            let client = client();
            let response = client.send(&runtime, server.get()).await.unwrap();
            let (seen, error) = read(response.into_body()).await;
            let error = error.unwrap();
            assert_eq!(seen, "ab");
            assert_eq!(error.kind(), HttpErrorKind::Protocol, "{size:?}: {error:?}");
            assert!(!error.is_retryable());
            let response = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!(text(response).await, "fresh");
            assert_eq!(server.connections(), 2, "the connection is not used again");
        }
    });
}

#[test]
fn c04_a_body_shorter_than_its_length_is_truncated() {
    on_each(|runtime| async move {
        let outcome = exchange(&runtime, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
        assert_eq!(outcome.0, "abc");
        assert_eq!(kind(&outcome), Some(HttpErrorKind::Truncated));
    });
}

#[test]
fn c04_bytes_after_the_body_are_never_read_as_a_response() {
    on_each(|runtime| async move {
        let server = Server::start(|number, conn| {
            conn.request();
            if number == 0 {
                conn.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
                conn.wait_closed();
            } else {
                conn.respond("true");
            }
        });
        let client = client();
        let first = client.send(&runtime, server.get()).await.unwrap();
        assert_eq!(text(first).await, "abc");
        let second = client.send(&runtime, server.get()).await.unwrap();
        assert_eq!(text(second).await, "true");
        assert_eq!(server.connections(), 2);
    });
}

#[test]
fn c05_an_http_1_0_body_ends_with_its_connection_and_says_so() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
            conn.send("HTTP/1.0 200 OK\r\n\r\nall of it");
        });
        let response = client().send(&runtime, server.get()).await.unwrap();
        let body = response.into_body();
        assert_eq!(body.framing(), BodyFraming::CloseDelimited);
        assert_eq!(read(body).await.0, "all of it");
    });
}

#[test]
fn c07_a_reused_connection_that_the_server_closed_costs_one_silent_resend() {
    on_each(|runtime| async move {
        let server = Server::start(|number, conn| {
            conn.request();
            conn.respond("ok");
            if number == 0 {
                // Keeps the connection open until the next request is on its way.
                let mut byte = [0];
                conn.stream.read_exact(&mut byte).unwrap();
            }
        });
        let client = client();
        let request = Request::post(server.url("/")).with_body("same body");
        let first = client.send(&runtime, request.clone()).await.unwrap();
        assert_eq!(text(first).await, "ok");
        let second = client.send(&runtime, request).await.unwrap();
        assert_eq!(text(second).await, "ok");
        assert_eq!(server.connections(), 2);
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0], requests[1], "the same request, whole");
    });
}

#[test]
fn a_connection_closed_while_idle_is_noticed_before_it_is_used() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
            conn.respond("ok");
        });
        let client = client();
        for _ in 0..3 {
            let response = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!(text(response).await, "ok");
        }
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn c08_a_fresh_connection_closed_without_an_answer_is_retryable_and_not_resent() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
        });
        let error = client().send(&runtime, server.get()).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Truncated, "{error:?}");
        assert!(error.is_retryable());
        assert_eq!(server.connections(), 1);
        assert!(error.to_string().contains(&server.address.to_string()));
    });
}

#[test]
fn a_response_cut_in_its_headers_is_truncated() {
    on_each(|runtime| async move {
        let outcome = exchange(&runtime, "HTTP/1.1 200 OK\r\nContent-").await;
        assert_eq!(
            kind(&outcome),
            Some(HttpErrorKind::Truncated),
            "{outcome:?}"
        );
    });
}

#[test]
fn c21_informational_responses_are_skipped() {
    on_each(|runtime| async move {
        let outcome = exchange(
            &runtime,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        )
        .await;
        assert_eq!(outcome.0, "ok");
        assert!(outcome.1.is_none(), "{outcome:?}");
    });
}

#[test]
fn c22_too_many_header_bytes_are_a_limit() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
            conn.send("HTTP/1.1 200 OK\r\n");
            for n in 0..40 {
                conn.send(format!("x-{n}: {}\r\n", "y".repeat(2_000)));
            }
            conn.send("Content-Length: 0\r\n\r\n");
            conn.wait_closed();
        });
        let error = client().send(&runtime, server.get()).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Limit, "{error:?}");
        assert!(error.to_string().contains("65536"), "{error}");

        let roomy = builder()
            .limits(Limits::default().with_header_bytes(128 * 1024))
            .build()
            .unwrap();
        let response = roomy.send(&runtime, server.get()).await.unwrap();
        assert_eq!(response.headers().len(), 41);
    });
}

#[test]
fn c22_answers_that_are_not_http_are_protocol_errors() {
    on_each(|runtime| async move {
        for answer in [
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ] {
            let outcome = exchange(&runtime, answer).await;
            let error = outcome.1.unwrap();
            assert_eq!(
                error.kind(),
                HttpErrorKind::Protocol,
                "{answer:?}: {error:?}"
            );
            assert!(!error.is_retryable());
            assert!(error.hint().is_some());
        }
    });
}

#[test]
fn c23_c24_redirects_are_shown_and_never_followed() {
    on_each(|runtime| async move {
        for status in [301, 302, 303, 307, 308] {
            let server = Server::start(move |_, conn| {
                conn.request();
                conn.send(format!(
                    "HTTP/1.1 {status} Moved\r\nLocation: https://user:pw@example.com/v2?key=secret\r\nContent-Length: 0\r\n\r\n"
                ));
            });
            let response = client()
                .send(&runtime, Request::post(server.url("/")).with_body("x"))
                .await
                .unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(
                response.redirect_location().as_deref(),
                Some("https://example.com/v2")
            );
            assert_eq!(server.requests().len(), 1);
        }
        for (location, shown) in [
            ("/v2?key=secret", "/v2"),
            ("/@scope/v2#secret", "/@scope/v2"),
            (
                "https://example.com/v2?mail=a@secret",
                "https://example.com/v2",
            ),
            (
                "https://user:se/cr?et@example.com/v2",
                "https://example.com/v2",
            ),
            ("//user:se/cret@example.com/v2", "example.com/v2"),
        ] {
            let server = Server::start(move |_, conn| {
                conn.request();
                conn.send(format!(
                    "HTTP/1.1 302 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
                ));
            });
            let response = client().send(&runtime, server.get()).await.unwrap();
            assert_eq!(response.redirect_location().as_deref(), Some(shown));
        }
    });
}

#[test]
fn responses_without_a_body_end_at_once() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            while let Some(request) = conn.request() {
                if request.starts_with("HEAD") {
                    conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                } else {
                    conn.send("HTTP/1.1 204 No Content\r\n\r\n");
                }
            }
        });
        let client = client();
        for method in [Method::HEAD, Method::GET, Method::HEAD] {
            let request = Request::new(method, server.url("/"));
            let response = client.send(&runtime, request).await.unwrap();
            assert_eq!(response.into_body().framing(), BodyFraming::Empty);
        }
        assert_eq!(server.connections(), 1, "the connection is used again");
    });
}

#[test]
fn a_body_over_its_limit_is_refused() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            conn.request();
            conn.respond(&"x".repeat(5_000));
            conn.wait_closed();
        });
        let strict = builder()
            .limits(Limits::default().with_body_bytes(1_000))
            .build()
            .unwrap();
        let response = strict.send(&runtime, server.get()).await.unwrap();
        let error = response.into_body().collect(1 << 20).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Limit);

        let response = client().send(&runtime, server.get()).await.unwrap();
        let error = response.into_body().collect(4_999).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Limit);

        let response = client().send(&runtime, server.get()).await.unwrap();
        let (prefix, more) = response.into_body().collect_prefix(100).await;
        assert_eq!((prefix.len(), more), (100, true));
        let response = client().send(&runtime, server.get()).await.unwrap();
        let (whole, more) = response.into_body().collect_prefix(5_000).await;
        assert_eq!((whole.len(), more), (5_000, false));
    });
}

#[test]
fn a_refused_connection_says_where_and_what_to_do() {
    on_each(|runtime| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = Url::parse(&format!("http://{address}/v1?token=canary-1")).unwrap();
        let error = client()
            .send(&runtime, Request::get(url))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Connect);
        assert!(error.is_retryable());
        let shown = error.to_string();
        assert!(shown.contains(&address.to_string()), "{shown}");
        assert!(shown.contains("refused"), "{shown}");
        assert!(shown.contains("base URL"), "{shown}");
        let error = ProviderError::from(error);
        assert_eq!(error.kind(), ProviderErrorKind::Connect);
        assert_eq!(error.to_string(), shown, "no word is lost on the way up");
        assert!(std::error::Error::source(&error).is_some());
        assert!(!format!("{error:?}{error}").contains("canary"));
    });
}

#[test]
fn c19_an_unknown_host_says_so() {
    on_each(|runtime| async move {
        let url = Url::parse("http://no-such-host.invalid/").unwrap();
        let error = client()
            .send(&runtime, Request::get(url))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Connect);
        let shown = error.to_string();
        assert!(shown.contains("no-such-host.invalid:80"), "{shown}");
        assert!(shown.contains("resolved"), "{shown}: {error:?}");
    });
}

#[test]
fn s05_credentials_do_not_go_over_plain_http_to_other_machines() {
    on_each(|runtime| async move {
        let key = agently_api::secret::Secret::new("sk-canary");
        let far = Url::parse("http://api.example.com/v1").unwrap();
        for request in [
            Request::post(far.clone()).with_bearer(&key).unwrap(),
            Request::post(far.clone())
                .with_header("api-key", "sk-canary")
                .unwrap(),
            Request::post(far)
                .with_secret_header("x-mine", &key)
                .unwrap(),
        ] {
            let error = client().send(&runtime, request).await.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Config);
            assert!(!format!("{error:?} {error}").contains("canary"));
        }
        // To this machine they may.
        let server = Server::start(|_, conn| {
            conn.request();
            conn.respond("ok");
        });
        let request = server.get().with_bearer(&key).unwrap();
        let response = client().send(&runtime, request).await.unwrap();
        assert_eq!(text(response).await, "ok");
    });
}
