//! A machine without CA certificates. Alone in its process, because it changes the environment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_http::{HttpErrorKind, Request, Url};

use support::{builder, on_each, Server};

#[test]
fn a_machine_without_ca_certificates_is_told_what_to_do() {
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        std::env::set_var(name, "/nonexistent");
    }
    on_each(|runtime| async move {
        // Plain http needs no certificates.
        let server = Server::start(|_, conn| {
            conn.request();
            conn.respond("ok");
        });
        let client = builder().build().unwrap();
        let response = client.send(&runtime, server.get()).await.unwrap();
        assert_eq!(response.status(), 200);

        let silent = Server::start(|_, conn| {
            conn.send("no TLS here\r\n");
            conn.wait_closed();
        });
        let url = format!("https://localhost:{}/", silent.address.port());
        let error = client
            .send(&runtime, Request::get(Url::parse(&url).unwrap()))
            .await
            .unwrap_err();
        if cfg!(feature = "webpki-roots") {
            // The built-in ones were used: it got as far as the handshake.
            assert_eq!(error.kind(), HttpErrorKind::Tls);
            assert!(error.to_string().contains("does not speak TLS"), "{error}");
        } else {
            assert_eq!(error.kind(), HttpErrorKind::Tls);
            assert!(!error.is_retryable());
            for word in ["no CA certificates", "webpki-roots", "SSL_CERT_FILE"] {
                assert!(error.to_string().contains(word), "{error}");
            }
        }
    });
}
